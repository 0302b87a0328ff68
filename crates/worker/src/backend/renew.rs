//! Renewing the claims of this worker.

use std::{sync::Arc, time::Instant};

use kernel::{
    Db, Ids,
    queue::{self, Settlement},
};

use super::{claims::Claims, settlements::Settlements};
use crate::{
    backoff::Backoff,
    error_text::chain,
    timing::{Timing, bounded},
};

/// The most claims in one statement.
const BATCH: usize = 1000;

/// Renews every claim, for ever. Also hands back the jobs whose run was dropped.
pub(crate) async fn renew(db: Db, ids: Ids, timing: Timing, claims: Arc<Claims>, settlements: Settlements) {
    let mut backoff = Backoff::new(ids);
    let mut wait = timing.claim_renewal;
    loop {
        tokio::time::sleep(wait).await;
        for claim in claims.take_dropped() {
            settlements.send(claim, Settlement::HandBack).await;
        }
        wait = match renew_all(&db, timing, &claims).await {
            Ok(()) => {
                backoff.reset();
                timing.claim_renewal
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot renew the claims of running jobs; trying \
                    again");
                backoff.after_failure().min(timing.claim_renewal)
            }
        };
    }
}

async fn renew_all(db: &Db, timing: Timing, claims: &Claims) -> kernel::Result<()> {
    for batch in claims.all().chunks(BATCH) {
        let asked = Instant::now();
        let renewed = bounded(queue::renew(db, batch, timing.claim)).await?;
        claims.renewed(&renewed, asked + timing.claim);
    }
    Ok(())
}
