//! The claims that this worker holds, each with its stage and its end.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use kernel::queue::Claim;

/// The stage of a claimed job in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It waits for a slot.
    Waiting,
    /// Its handler runs.
    Running,
    /// Its handler's future was dropped before it ended.
    Dropped,
    /// Its settlement is on its way to Postgres.
    Settling,
}

#[derive(Debug)]
struct Held {
    stage: Stage,
    /// When the claim ends unless it is renewed. It is earlier than in Postgres, since it is
    /// counted from before the statement.
    until: Instant,
}

/// The claims, shared by the tasks that claim, run, renew and settle. The channels that jobs pass
/// through bound their number.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    held: Mutex<HashMap<Claim, Held>>,
}

impl Claims {
    pub(crate) fn add(&self, claim: Claim, until: Instant) {
        self.lock().insert(claim, Held { stage: Stage::Waiting, until });
    }

    /// Marks a job as running. Returns `false` when it was handed back meanwhile and must not run.
    pub(crate) fn start(&self, claim: Claim) -> bool {
        match self.lock().get_mut(&claim) {
            Some(held) if held.stage == Stage::Waiting => {
                held.stage = Stage::Running;
                true
            }
            _ => false,
        }
    }

    /// Marks a job as dropped if its run is gone without a settlement.
    pub(crate) fn dropped(&self, claim: Claim) {
        if let Some(held) = self.lock().get_mut(&claim)
            && held.stage == Stage::Running
        {
            held.stage = Stage::Dropped;
        }
    }

    pub(crate) fn settling(&self, claim: Claim) {
        if let Some(held) = self.lock().get_mut(&claim) {
            held.stage = Stage::Settling;
        }
    }

    /// Removes a claim that is settled or lost.
    pub(crate) fn forget(&self, claim: Claim) {
        self.lock().remove(&claim);
    }

    /// Returns true when the claim is still held, as far as this process knows.
    pub(crate) fn is_ours(&self, claim: Claim) -> bool {
        self.lock().get(&claim).is_some_and(|held| held.until > Instant::now())
    }

    pub(crate) fn renewed(&self, claims: &[Claim], until: Instant) {
        let mut all = self.lock();
        for claim in claims {
            if let Some(held) = all.get_mut(claim) {
                held.until = until;
            }
        }
    }

    /// Returns all claims: a job keeps its claim until its settlement is written.
    pub(crate) fn all(&self) -> Vec<Claim> {
        self.lock().keys().copied().collect()
    }

    /// Takes the claims that wait for a slot. [`Claims::start`] refuses them from now on.
    pub(crate) fn take_waiting(&self) -> Vec<Claim> {
        self.take(|stage| stage == Stage::Waiting)
    }

    /// Takes the claims whose run was dropped.
    pub(crate) fn take_dropped(&self) -> Vec<Claim> {
        self.take(|stage| stage == Stage::Dropped)
    }

    /// Takes the claims that are not being settled.
    pub(crate) fn take_unsettled(&self) -> Vec<Claim> {
        self.take(|stage| stage != Stage::Settling)
    }

    fn take(&self, wanted: impl Fn(Stage) -> bool) -> Vec<Claim> {
        let mut taken = Vec::new();
        for (claim, held) in self.lock().iter_mut().filter(|(_, held)| wanted(held.stage)) {
            held.stage = Stage::Settling;
            taken.push(*claim);
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Claim, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_given_back_does_not_start() {
        let claims = Claims::default();
        let claim = Claim { id: 1, lease: 1 };
        claims.add(claim, Instant::now() + Duration::from_secs(1));
        assert_eq!(claims.take_waiting(), [claim]);
        assert!(!claims.start(claim));
        assert!(claims.take_unsettled().is_empty());
    }

    #[test]
    fn what_started_is_not_given_back_before_its_time() {
        let claims = Claims::default();
        let claim = Claim { id: 1, lease: 1 };
        claims.add(claim, Instant::now());
        assert!(claims.start(claim) && !claims.start(claim));
        assert!(claims.take_waiting().is_empty());
        assert!(!claims.is_ours(claim));
        claims.renewed(&[claim], Instant::now() + Duration::from_secs(1));
        assert!(claims.is_ours(claim));
        claims.dropped(claim);
        assert_eq!(claims.take_dropped(), [claim]);
    }
}
