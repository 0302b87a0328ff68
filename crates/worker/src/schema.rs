//! Waiting for the schema of this build. `api migrate` updates the schema before or while the
//! worker starts.

use kernel::{Db, Ids, schema};
use tokio_util::sync::CancellationToken;

use crate::{
    backoff::Backoff,
    error_text::chain,
    state::{Phase, State},
    timing::{bounded, rest},
};

/// Waits until Postgres has every migration of this build. Returns `false` when `stop` came first.
pub(crate) async fn wait(db: &Db, ids: &Ids, state: &State, stop: &CancellationToken) -> bool {
    let mut backoff = Backoff::new(ids.clone());
    let mut said = None;
    loop {
        let phase = match bounded(missing(db)).await {
            Ok(0) => return true,
            Ok(missing) => {
                if said != Some(Phase::WaitingForSchema) {
                    tracing::warn!(
                        missing,
                        "the database lacks migrations of this build: waiting; run `api migrate`"
                    );
                }
                Phase::WaitingForSchema
            }
            Err(error) => {
                if said != Some(Phase::WithoutDatabase) {
                    tracing::warn!(error = %chain(&error), "cannot read the database's schema: waiting");
                }
                Phase::WithoutDatabase
            }
        };
        said = Some(phase);
        state.enter(phase);
        if !rest(backoff.after_failure(), stop).await {
            return false;
        }
    }
}

async fn missing(db: &Db) -> kernel::Result<usize> {
    let mut connection = db.pool().acquire().await?;
    Ok(schema::missing(&mut connection).await?)
}
