//! The dialog with one witness about the newest head of the meta-log.

use std::{collections::BTreeSet, time::Duration};

use kernel::{DbScope, caller::Caller, error::Result, ids::LogId};
use tlog_tiles::Hash;
use tokio::time::{Instant, timeout_at};

use super::port::{Witness, WitnessAnswer};
use crate::{
    format::{
        cosignature::{self, Cosignature},
        tree::{Tree, consistency_nodes, prove_consistency},
    },
    model::META,
    prove::read_nodes,
    store,
    vault::Vault,
};

/// The most times that one witness is asked in a row: its answer states the size to continue from,
/// and the log may grow meanwhile.
const MAX_ATTEMPTS: u32 = 4;

/// The meaning of a witness' answers.
pub(super) enum Stance {
    /// It cosigned the head of that size.
    Cosigned { size: u64, cosignature: Cosignature },
    /// It has seen more than the database holds, or something else. With the details in words.
    Ahead(String),
    /// It could not be asked. With the cause in words.
    Away(String),
    /// It refused, for a reason that says nothing about what it has seen. With the reason in words.
    Refused(String),
}

/// Asks for a cosignature of the newest head, which is proved to continue what the witness saw
/// last: the head of size `from`, or of the size that it states. Signs past the guard: the head is
/// committed, and a witness that has seen something else refuses it.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable) when Postgres is away.
pub(super) async fn ask(
    vault: &Vault,
    witness: &dyn Witness,
    mut from: Option<u64>,
    timeout: Duration,
) -> Result<Stance> {
    let until = Instant::now() + timeout;
    let mut forked = false;
    for _ in 0..MAX_ATTEMPTS {
        // Read anew after each answer: another worker may have published since, and the witness may
        // have seen that.
        let Newest { size, root } = newest(vault).await?;
        let old = from.unwrap_or(size);
        if old > size {
            return Ok(Stance::Ahead(format!("it knows the size {old}, and the database has {size}")));
        }
        let note = vault.signer.sign(&vault.origin(LogId::META), size, root)?;
        let proof = consistency(vault, old, size).await?;
        let asked = timeout_at(until, witness.add_checkpoint(old, &proof, &note));
        let Ok(answer) = asked.await else {
            return Ok(Stance::Away(format!("it did not answer within {timeout:?}")));
        };
        match answer {
            Err(failed) => return Ok(Stance::Away(failed.detail)),
            Ok(WitnessAnswer::Cosigned(lines)) => return Ok(verified(witness, size, &note, &lines)),
            Ok(WitnessAnswer::Behind { size }) => from = Some(size),
            // Twice, because answers may cross. From size 0 there is no history to differ from.
            Ok(WitnessAnswer::Forked(why)) if old > 0 => {
                if forked {
                    return Ok(Stance::Ahead(why));
                }
                forked = true;
            }
            Ok(WitnessAnswer::Refused(why) | WitnessAnswer::Forked(why)) => {
                return Ok(Stance::Refused(why));
            }
        }
    }
    Ok(Stance::Refused("it names another size each time that it is asked".to_owned()))
}

fn verified(witness: &dyn Witness, size: u64, note: &str, lines: &[String]) -> Stance {
    let body = cosignature::body(note).unwrap_or_default();
    match witness.key().find(body, lines.iter().map(String::as_str)) {
        Ok(cosignature) => Stance::Cosigned { size, cosignature },
        Err(why) => Stance::Refused(format!("it answered with no cosignature of its own: {why}")),
    }
}

/// The newest head of the meta-log.
pub(super) struct Newest {
    pub(super) size: u64,
    pub(super) root: Hash,
}

/// Reads the newest head of the meta-log, which is empty at first.
pub(super) async fn newest(vault: &Vault) -> Result<Newest> {
    let system = Caller::system(DbScope::Project(META));
    match vault.core.read(system, async |tx| store::heads::newest(tx, META).await).await? {
        Some(head) => Ok(Newest { size: head.size, root: head.root }),
        None => Ok(Newest { size: 0, root: Tree::default().root()? }),
    }
}

async fn consistency(vault: &Vault, from: u64, to: u64) -> Result<Vec<Hash>> {
    if from == 0 || from == to {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<_> = consistency_nodes(from, to).unwrap_or_default().into_iter().collect();
    let system = Caller::system(DbScope::Project(META));
    let nodes = vault.core.read(system, async |tx| read_nodes(tx, META, to, wanted).await).await?;
    prove_consistency(from, to, &nodes)
}
