//! Cosigning of the meta-log.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use kernel::{DbScope, caller::Caller, error::Result};

use super::{
    ask::{Stance, ask, newest},
    port::Witness,
};
use crate::{model::META, store::cosignatures, vault::Vault};

/// Has the meta-log's head cosigned by all of `witnesses` at once, and stores their cosignatures. A
/// witness that is away, or refuses, is logged for the operator and asked again by the next run.
/// Waits for each up to `timeout`. Returns how many have cosigned the head.
///
/// # Errors
/// [`Code::LogBehind`](kernel::Code::LogBehind) when one has seen more than the database holds, or
/// something else.
pub async fn cosign(vault: &Vault, witnesses: &[Arc<dyn Witness>], timeout: Duration) -> Result<usize> {
    let asked = witnesses.iter().map(|witness| cosign_by(vault, witness.as_ref(), timeout));
    let mut cosigned = 0;
    for outcome in join_all(asked).await {
        cosigned += usize::from(outcome?);
    }
    Ok(cosigned)
}

/// Returns true when the witness has cosigned the newest head.
async fn cosign_by(vault: &Vault, witness: &dyn Witness, timeout: Duration) -> Result<bool> {
    vault.guard.pass()?;
    let size = newest(vault).await?.size;
    let (name, signer) = (witness.key().name(), [witness.key().signer()]);
    let worker = Caller::system(DbScope::Worker);
    let last = vault.core.read(worker, async |tx| cosignatures::newest_size(tx, META, &signer).await).await?;
    if size == 0 || last == Some(size) {
        return Ok(size > 0);
    }
    let now = vault.core.clock.now();
    match ask(vault, witness, Some(last.unwrap_or(0)), timeout).await? {
        Stance::Cosigned { cosignature, .. } if !cosignature.is_of(now) => {
            let at = cosignature.at().to_rfc3339();
            tracing::error!(
                witness = name,
                at,
                "the clock of a witness is more than ten minutes off: its cosignature is not stored"
            );
            Ok(false)
        }
        Stance::Cosigned { size, cosignature } => {
            let (line, [signer]) = (cosignature.line(), &signer);
            let write = vault.core.write(worker, async |unit| {
                Ok(cosignatures::insert(unit, META, size, signer, line, now).await?)
            });
            write.await?;
            Ok(true)
        }
        Stance::Ahead(why) => Err(vault.guard.found_behind(name, &why)),
        Stance::Away(why) | Stance::Refused(why) => {
            tracing::warn!(witness = name, why, size, "a witness did not cosign the vault's meta-log");
            Ok(false)
        }
    }
}

/// Returns the seconds for which the meta-log has had a head newer than every one that the witness
/// has cosigned; 0 when it has cosigned the newest.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn uncosigned_seconds(vault: &Vault, witness: &dyn Witness) -> Result<f64> {
    let signer = witness.key().signer();
    let read = vault.core.read(Caller::system(DbScope::Worker), async |tx| {
        Ok(cosignatures::uncosigned_since(tx, META, &signer).await?)
    });
    let now = vault.core.clock.now();
    Ok(read.await?.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0)))
}
