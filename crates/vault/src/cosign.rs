//! Asking witnesses about the meta-log: for their cosignatures, and for what they have seen of it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::{
    Hash, Vault,
    cosignature::{self, Cosignature},
    head, prove,
    publish::META,
    publish_store as store,
    tree::{Tree, consistency_nodes, prove_consistency},
};
use crate::Witness;
use crate::WitnessRefused;
use kernel::{db::Caller, error::Result, ids::LogId};

/// How often one witness is asked at a time: what it answers says where to go on, and the log may grow meanwhile.
const TRIES: u32 = 4;

/// What a witness' answers come to.
pub(super) enum Answer {
    /// It cosigned the head of that size.
    Cosigned(u64, Cosignature),
    /// It has seen what the database does not have: more, or something else. In words.
    Ahead(String),
    /// It could not be asked. In words.
    Away(String),
    /// It would not, for a reason that says nothing of what it has seen. In words.
    Refused(String),
}

/// Has the newest head cosigned, which is proved to continue what the witness saw last: the head of size `from`, or of what size it says. Signs past the guard: what
/// is signed is committed, and a witness that has seen something else will not have it.
///
/// # Errors
/// Those of the database.
pub(super) async fn ask(
    vault: &Vault,
    witness: &dyn Witness,
    mut from: Option<u64>,
    patience: Duration,
) -> Result<Answer> {
    let until = Instant::now() + patience;
    let mut forked = false;
    for _ in 0..TRIES {
        // Read anew after each answer: another worker may have published since, and a witness seen that.
        let (size, root) = newest(vault).await?;
        let old = from.unwrap_or(size);
        if old > size {
            return Ok(Answer::Ahead(format!("it knows the size {old}, and the database has {size}")));
        }
        let note = vault.keys.sign(&vault.origin(LogId::META), size, root)?;
        let proof = consistency(vault, old, size).await?;
        match timeout_at(until, witness.add_checkpoint(old, &proof, &note)).await {
            Err(_) => return Ok(Answer::Away(format!("it did not answer within {patience:?}"))),
            Ok(Ok(lines)) => {
                let body = cosignature::body(&note).unwrap_or_default();
                let found = witness.key().find(body, lines.iter().map(String::as_str));
                return Ok(found.map_or_else(
                    |why| Answer::Refused(format!("it answered with no cosignature of its own: {why}")),
                    |cosignature| Answer::Cosigned(size, cosignature),
                ));
            }
            Ok(Err(WitnessRefused::Behind { size })) => from = Some(size),
            // Twice, so that no answer that crossed another is taken for it. Nothing is not another history of anything.
            Ok(Err(WitnessRefused::Forked(why))) if old > 0 => {
                if forked {
                    return Ok(Answer::Ahead(why));
                }
                forked = true;
            }
            Ok(Err(WitnessRefused::Away(why))) => return Ok(Answer::Away(why)),
            Ok(Err(WitnessRefused::Refused(why) | WitnessRefused::Forked(why))) => return Ok(Answer::Refused(why)),
        }
    }
    Ok(Answer::Refused("it names another size each time that it is asked".to_owned()))
}

async fn newest(vault: &Vault) -> Result<(u64, Hash)> {
    let mut tx = vault.core.db.begin(Caller::Project(META)).await?;
    let head = head::newest(&mut tx, META).await?;
    tx.commit().await?;
    head.map_or_else(|| Ok((0, Tree::default().root()?)), |head| Ok((head.size, head.root)))
}

async fn consistency(vault: &Vault, from: u64, to: u64) -> Result<Vec<Hash>> {
    if from == 0 || from == to {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<_> = consistency_nodes(from, to).unwrap_or_default().into_iter().collect();
    let mut tx = vault.core.db.begin(Caller::Project(META)).await?;
    let nodes = prove::nodes(&mut tx, META, to, wanted).await?;
    tx.commit().await?;
    prove_consistency(from, to, &nodes)
}

/// Has the meta-log's head cosigned by all of `witnesses` at once, and keeps what they sign. One that is away, or will not, is for the log of the operator and the
/// next run; each is waited for as long as `patience`. Returns how many have cosigned it.
///
/// # Errors
/// [`Code::LogBehind`](kernel::Code::LogBehind) when one has seen what the database does not have; those of the database.
pub async fn cosign(vault: &Vault, witnesses: &[Arc<dyn Witness>], patience: Duration) -> Result<usize> {
    let asked = join_all(witnesses.iter().map(|witness| cosign_by(vault, witness.as_ref(), patience))).await;
    let mut cosigned = 0;
    for outcome in asked {
        cosigned += usize::from(outcome?);
    }
    Ok(cosigned)
}

async fn cosign_by(vault: &Vault, witness: &dyn Witness, patience: Duration) -> Result<bool> {
    vault.guard.pass()?;
    let (size, _) = newest(vault).await?;
    let name = witness.key().name();
    let whose = witness.key().signer();
    let mut tx = vault.core.db.begin(Caller::Worker).await?;
    let last = store::last_cosigned(&mut tx, META, &whose).await?;
    tx.commit().await?;
    if size == 0 || last == Some(size) {
        return Ok(size > 0);
    }
    let now = vault.core.clock.now();
    match ask(vault, witness, Some(last.unwrap_or(0)), patience).await? {
        Answer::Cosigned(_, cosignature) if !cosignature.is_of(now) => {
            let at = cosignature.at().to_rfc3339();
            tracing::error!(
                witness = name,
                at,
                "a witness' clock is more than ten minutes from ours: its cosignature is not kept"
            );
            Ok(false)
        }
        Answer::Cosigned(size, cosignature) => {
            let mut tx = vault.core.db.begin(Caller::Worker).await?;
            store::insert_cosignature(&mut tx, META, size, &whose, cosignature.line(), now).await?;
            tx.commit().await?;
            Ok(true)
        }
        Answer::Ahead(why) => Err(vault.guard.found_behind(name, &why)),
        Answer::Away(why) | Answer::Refused(why) => {
            tracing::warn!(witness = name, why, size, "a witness did not cosign the vault's meta-log");
            Ok(false)
        }
    }
}

/// For how many seconds the meta-log has had a head that the witness has not cosigned; 0 when it has cosigned the newest.
///
/// # Errors
/// Those of the database.
pub async fn uncosigned_seconds(vault: &Vault, witness: &dyn Witness) -> Result<f64> {
    let mut tx = vault.core.db.begin(Caller::Worker).await?;
    let since = store::uncosigned_since(&mut tx, META, &witness.key().signer()).await?;
    tx.commit().await?;
    Ok(since.map_or(0.0, |since| (vault.core.clock.now() - since).as_seconds_f64().max(0.0)))
}
