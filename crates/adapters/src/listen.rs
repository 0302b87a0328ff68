//! Wake-ups through Postgres' `LISTEN`, on a connection of their own that does not go through
//! PgBouncer.

use std::time::Duration;

use sqlx::{
    Executor,
    postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{backoff::Backoff, wake::hub::WakeHub};

/// The channel of `NOTIFY`.
pub(crate) const CHANNEL: &str = "holdfast_wake";

const RECONNECT: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(4));
/// The time without a hint after which the connection is tested: a dead one is as quiet as an idle
/// one.
const QUIET: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(2);

/// Wakes the sleepers that other processes' notifications name, until `stop`. Tries again, with
/// backoff, while Postgres is away.
pub(crate) async fn listen(options: PgConnectOptions, hub: WakeHub, stop: CancellationToken) {
    let options = options.application_name("holdfast-listen");
    let mut failures: u32 = 0;
    while !stop.is_cancelled() {
        // Each connection has a pool of its own. A listener that ends sends UNLISTEN first, and
        // where nothing answers any more that takes as long as TCP keeps trying, a quarter of an
        // hour. The next connection must not wait for its place.
        let pool =
            PgPoolOptions::new().max_connections(1).acquire_timeout(LIMIT).connect_lazy_with(options.clone());
        let mut heard = false;
        let ended = stop.run_until_cancelled(receive(&pool, &hub, &mut heard)).await;
        if let Some(Err(reason)) = ended {
            tracing::debug!(%reason, "not listening for notifications");
        }
        let _ = timeout(LIMIT, pool.close()).await;
        failures = if heard { 1 } else { failures.saturating_add(1) };
        stop.run_until_cancelled(tokio::time::sleep(RECONNECT.after(failures))).await;
    }
}

/// Ends when the connection does; sets `connected` once it stood.
async fn receive(pool: &PgPool, hub: &WakeHub, connected: &mut bool) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    timeout(LIMIT, listener.listen(CHANNEL)).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    *connected = true;
    // Notifications from before the connection stood were missed.
    hub.notify_all();
    loop {
        match timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => hub.on_message(notification.payload()),
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                timeout(LIMIT, listener.execute("SELECT 1"))
                    .await
                    .map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}
