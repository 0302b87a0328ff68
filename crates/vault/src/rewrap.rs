//! Retiring a key of `VAULT_KEK`: the keys of subjects that an older one wraps are wrapped under the newest. The data that they encrypt stays as it is.
//!
//! Each step is a transaction of its own and finds by itself what there is left to do: it can be stopped at any moment and begun again, and appends and
//! erasures go on meanwhile.

use super::{Vault, personal::whose, store};
use kernel::{db::Caller, error::Result, ids::ProjectId};

/// How many keys one transaction looks at.
const STEP: i64 = 500;

/// What became of the keys that were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// How many were looked at.
    pub seen: u64,
    /// How many are now wrapped under the newest key, and were not before.
    pub moved: u64,
    /// How many changed while they were looked at, so that they are to be looked at again.
    pub missed: u64,
    /// How many open under no key that there is.
    pub shut: u64,
}

impl Rewrapped {
    /// How many keys of those seen are not known to be under the newest key.
    pub fn left(&self) -> u64 {
        self.missed + self.shut
    }
}

/// Wraps every subject's key under the newest key. `progress` is told after each step.
///
/// # Errors
/// Those of the database: what was done until then stays done.
pub async fn rewrap(vault: &Vault, mut progress: impl FnMut(&Rewrapped) + Send) -> Result<Rewrapped> {
    let mut tx = vault.core.db.begin(Caller::Worker).await?;
    let projects = store::projects_with_keys(&mut tx).await?;
    tx.commit().await?;
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
async fn step(vault: &Vault, project: ProjectId, after: &str, done: &mut Rewrapped) -> Result<Option<String>> {
    let mut tx = vault.core.db.begin(Caller::Job(project)).await?;
    let keys = store::subject_keys_after(&mut tx, project, after, STEP).await?;
    let (mut subjects, mut seen, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    let mut shut = 0;
    for (subject, wrapped) in &keys {
        match vault.keks.rewrap(&vault.core.ids, &whose(project, subject), wrapped) {
            Ok(Some(anew)) => {
                subjects.push(subject.as_str());
                seen.push(wrapped.as_slice());
                moved.push(anew);
            }
            Ok(None) => {}
            Err(_) => shut += 1,
        }
    }
    let wanted = subjects.len() as u64;
    let replaced =
        if wanted == 0 { 0 } else { store::unsigned(store::rewrap(&mut tx, (&subjects, &seen, &moved)).await?)? };
    tx.commit().await?;
    done.seen += keys.len() as u64;
    done.moved += replaced;
    done.missed += wanted.saturating_sub(replaced);
    done.shut += shut;
    Ok(keys.into_iter().next_back().map(|(subject, _)| subject))
}
