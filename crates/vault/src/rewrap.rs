//! Retiring a key of `VAULT_KEK`: keys of subjects that an older one wraps are wrapped under the
//! newest. The data that they encrypt stays as it is.
//!
//! Each step is a transaction of its own and finds the keys that are left. So it can be stopped at
//! any moment and started again, and appends and erasures continue meanwhile.

use kernel::{DbScope, caller::Caller, error::Result, ids::ProjectId};

use crate::{
    convert::unsigned,
    model::{Rewrap, WrappedKey},
    personal::Owner,
    store,
    vault::Vault,
};

/// The number of keys that one transaction looks at.
const STEP: i64 = 500;

/// The outcome for the keys that were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys that were looked at.
    pub seen: u64,
    /// Keys that are now wrapped under the newest key, and were not before.
    pub moved: u64,
    /// Keys that changed while they were looked at, and are to be looked at again.
    pub missed: u64,
    /// Keys that unwrap under no key of the ring.
    pub unreadable: u64,
}

impl Rewrapped {
    /// Returns the number of keys that are not known to be under the newest key.
    pub fn left(&self) -> u64 {
        self.missed + self.unreadable
    }
}

/// Wraps every subject's key under the newest key. Calls `progress` after each step.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable); the steps before stay done.
pub async fn rewrap(vault: &Vault, mut progress: impl FnMut(&Rewrapped) + Send) -> Result<Rewrapped> {
    let worker = Caller::system(DbScope::Worker);
    let read = vault.core.read(worker, async |tx| Ok(store::personal::projects_with_keys(tx).await?));
    let projects = read.await?;
    let mut done = Rewrapped::default();
    for project in projects {
        let mut after = String::new();
        while let Some(last) = step(vault, project, &after, &mut done).await? {
            after = last;
            progress(&done);
        }
    }
    Ok(done)
}

/// Looks at the keys of subjects after `after`. Returns the last of them.
async fn step(
    vault: &Vault,
    project: ProjectId,
    after: &str,
    done: &mut Rewrapped,
) -> Result<Option<String>> {
    let job = Caller::system(DbScope::Job(project));
    let write = vault.core.write(job, async |unit| {
        let keys = store::personal::keys_after(unit, project, after, STEP).await?;
        let mut step = Rewrapped { seen: keys.len() as u64, ..Rewrapped::default() };
        let mut rewraps = Vec::new();
        for WrappedKey { subject, wrapped } in &keys {
            match vault.key_wrap.rewrap(&vault.core.ids, Owner { project, subject }, wrapped) {
                Ok(Some(rewrapped)) => rewraps.push(Rewrap { subject, seen: wrapped, rewrapped }),
                Ok(None) => {}
                Err(_) => step.unreadable += 1,
            }
        }
        if !rewraps.is_empty() {
            step.moved = unsigned(store::personal::rewrap(unit, &rewraps).await?)?;
        }
        step.missed = (rewraps.len() as u64).saturating_sub(step.moved);
        Ok((step, keys.into_iter().next_back().map(|key| key.subject)))
    });
    let (step, last) = write.await?;
    done.seen += step.seen;
    done.moved += step.moved;
    done.missed += step.missed;
    done.unreadable += step.unreadable;
    Ok(last)
}
