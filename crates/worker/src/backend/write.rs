//! Writes settlements to Postgres, in batches.

use std::{collections::HashMap, sync::Arc};

use kernel::{
    Db, Ids,
    queue::{self, Claim, Settlement},
};
use tokio::sync::mpsc;

use super::claims::Claims;
use crate::{backoff::Backoff, error_text::chain, metrics, timing::bounded};

/// The most settlements in one statement.
const BATCH: usize = 500;

/// Writes settlements until every [`Settlements`](super::settlements::Settlements) is dropped and
/// the last one is written.
///
/// Settlements that arrive while a batch is written make the next batch. A settlement that cannot
/// be written is tried again while its claim lasts. Then it is dropped, and the job runs again.
pub(crate) async fn write(
    db: Db,
    ids: Ids,
    claims: Arc<Claims>,
    mut settlements: mpsc::Receiver<(Claim, Settlement)>,
) {
    let mut backoff = Backoff::new(ids);
    let mut batch = HashMap::new();
    loop {
        if batch.is_empty() {
            let Some((claim, settlement)) = settlements.recv().await else { return };
            batch.insert(claim, settlement);
        }
        while batch.len() < BATCH
            && let Ok((claim, settlement)) = settlements.try_recv()
        {
            batch.insert(claim, settlement);
        }
        match bounded(queue::settle(&db, &batch)).await {
            Ok(stale) => {
                backoff.reset();
                for claim in stale {
                    tracing::info!(
                        job = claim.id,
                        lease = claim.lease,
                        "the job was settled or claimed again before"
                    );
                    metrics::settlement_lost("stale");
                }
                batch.drain().for_each(|(claim, _)| claims.forget(claim));
            }
            Err(error) => {
                tracing::warn!(
                    waiting = batch.len(),
                    error = %chain(&error),
                    "cannot settle jobs; trying again"
                );
                batch.retain(|claim, _| claims.is_ours(*claim) || give_up(&claims, *claim));
                tokio::time::sleep(backoff.after_failure()).await;
            }
        }
    }
}

fn give_up(claims: &Claims, claim: Claim) -> bool {
    tracing::warn!(job = claim.id, "the claim ended before the job could be settled: it will run again");
    metrics::settlement_lost("expired");
    claims.forget(claim);
    false
}
