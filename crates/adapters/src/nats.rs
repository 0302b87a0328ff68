//! NATS: carries hints between processes faster than Postgres can.
//!
//! Nothing is stored in it and nothing waits in it: core NATS, no JetStream. A server that takes
//! what we publish while a receiver's subscription is dead loses hints silently; that costs a
//! sleeper its polling interval, which is why everyone polls as well.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, connection::State};
use bytes::Bytes;
use futures::StreamExt;
use percent_encoding::percent_decode_str;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    backoff::Backoff,
    guard::{Driver, Failure, Guarded},
    wake::hub::WakeHub,
};

const SUBJECT: &str = "holdfast.wake";
const RECONNECT: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
/// The time between pings. After two without an answer the client opens another connection, so this
/// is how a half-open one is noticed.
const PING_INTERVAL: Duration = Duration::from_secs(5);
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// The time that a probe waits for a connection that is being made.
const CONNECT_GRACE: Duration = Duration::from_millis(500);
/// Commands and messages that wait inside the client; a subscriber that falls further behind loses
/// hints.
const CAPACITY: usize = 1024;

/// A client that connects, and connects again, by itself.
pub(crate) struct Nats {
    url: Url,
    client: OnceCell<Client>,
}

impl Nats {
    pub(crate) fn new(url: Url) -> Self {
        Self { url, client: OnceCell::new() }
    }

    /// Returns the client at once, connected or not.
    async fn client(&self) -> Result<&Client, Failure> {
        let connect = || async {
            authenticate(ConnectOptions::new(), &self.url)
                .name("holdfast")
                .retry_on_initial_connect()
                .max_reconnects(None)
                .reconnect_delay_callback(|attempts| {
                    RECONNECT.after(u32::try_from(attempts).unwrap_or(u32::MAX))
                })
                .connection_timeout(CONNECT_LIMIT)
                .ping_interval(PING_INTERVAL)
                .client_capacity(CAPACITY)
                .subscription_capacity(CAPACITY)
                .connect(self.url.as_str())
                .await
        };
        Ok(self.client.get_or_try_init(connect).await?)
    }

    /// Publishes `payloads` and waits until the server has seen them: an echo, as flushing alone
    /// only fills the socket's buffer, which a frozen server leaves full.
    pub(crate) async fn publish(&self, payloads: Vec<String>) -> Result<(), Failure> {
        let client = self.client().await?;
        // While it connects, commands would wait in the client and go out late.
        if client.connection_state() != State::Connected {
            return Err(Failure::Broken("not connected".to_owned()));
        }
        let inbox = client.new_inbox();
        let mut echo = client.subscribe(inbox.clone()).await?;
        for payload in payloads {
            client.publish(SUBJECT, payload.into()).await?;
        }
        client.publish(inbox, Bytes::new()).await?;
        client.flush().await?;
        match echo.next().await {
            Some(_) => Ok(()),
            None => Err(Failure::Broken("the connection was closed".to_owned())),
        }
    }
}

/// Adds the credentials of a URL as NATS' other clients read it: `user:password@`, or a token
/// alone. This client ignores that part of it.
fn authenticate(options: ConnectOptions, url: &Url) -> ConnectOptions {
    let text = |encoded| percent_decode_str(encoded).decode_utf8_lossy().into_owned();
    match (url.username(), url.password()) {
        ("", None) => options,
        (token, None) => options.token(text(token)),
        (user, Some(password)) => options.user_and_password(text(user), text(password)),
    }
}

impl Driver for Nats {
    const NAME: &'static str = "nats";

    async fn probe(&self) -> Result<(), Failure> {
        let client = self.client().await?;
        // The client connects by itself, moments after it was created; nobody waits for a probe.
        let connected = async {
            while client.connection_state() != State::Connected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(CONNECT_GRACE, connected).await;
        self.publish(Vec::new()).await
    }
}

/// Wakes the sleepers that other processes' hints name, until `stop`. The client subscribes again
/// by itself whenever it reconnects.
pub(crate) async fn listen(nats: Guarded<Nats>, hub: WakeHub, stop: CancellationToken) {
    let Some(driver) = nats.driver() else { return };
    let listening = async {
        let mut failures = 0;
        loop {
            if let Err(reason) = receive(driver, &hub).await {
                tracing::warn!(%reason, "the subscription to wake-ups failed");
            }
            failures += 1;
            tokio::time::sleep(RECONNECT.after(failures)).await;
        }
    };
    stop.run_until_cancelled(listening).await;
}

/// Passes hints on, and returns only when the client refuses to go on.
async fn receive(nats: &Nats, hub: &WakeHub) -> Result<(), Failure> {
    let mut hints = nats.client().await?.subscribe(SUBJECT).await?;
    while let Some(hint) = hints.next().await {
        if let Ok(payload) = std::str::from_utf8(&hint.payload) {
            hub.on_message(payload);
        }
    }
    Ok(())
}
