//! Many requests in one transaction.

use std::{borrow::Cow, ops::Range, sync::Arc};

use kernel::{
    DbScope, Unit,
    batch::{Batch, Gathered},
    caller::{Authorized, Caller, allow},
    error::{Code, Error, Result},
    ids::ProjectId,
    unit::Admitted,
};

use crate::{
    draft::Draft,
    ledger::{Ledger, Signed, StoredPointer, Written},
    model::MAX_SEALS,
    vault::Vault,
};

/// The most seals that may wait on one replica.
const MAX_WAITING: usize = 10_000;
/// The bytes of a seal that weigh as much as one seal more, because waiting seals are held in
/// memory.
const BYTES_PER_WEIGHT: usize = 4 * 1024;

/// The seals of one request as they queue, to be appended one after the other, all or none.
pub(super) struct Append {
    /// The caller, with the request's signature and `Idempotency-Key`.
    pub(super) by: Authorized<allow::VaultWrite>,
    /// At least one.
    pub(super) seals: Vec<Draft>,
    /// The size that the log must have before, if the caller cares.
    pub(super) expected_size: Option<u64>,
}

/// The outcome for a request.
pub(super) enum Done {
    /// It was appended.
    Now { signed: Arc<Signed>, seals: Range<u64> },
    /// It was appended by an earlier request with its `Idempotency-Key`.
    Before(StoredPointer),
}

/// The outcome for a request, before the commit.
enum Outcome {
    Pushed(Range<u64>),
    Replayed(StoredPointer),
}

/// The work of the batcher.
pub(super) struct Appends {
    vault: Vault,
}

impl Batch for Appends {
    type Key = ProjectId;
    type Item = Append;
    type Answer = Done;
    const BATCH: usize = MAX_SEALS;
    const QUEUE: usize = MAX_WAITING;

    fn weight(append: &Append) -> usize {
        append.seals.iter().map(|seal| 1 + seal.bytes() / BYTES_PER_WEIGHT).sum()
    }

    async fn run(&self, project: ProjectId, appends: &mut Gathered<'_, Self>) -> Result<Vec<Result<Done>>> {
        match self.append(project, appends, false).await {
            // Another replica has just committed one of these requests. Under the lock its answer
            // is found, and no other can be added.
            Err(error) if error.code() == Code::IdempotencyInFlight => {}
            done => return done,
        }
        match self.append(project, appends, true).await {
            // A request outside the batches holds one of the keys right now. Its owner is unknown
            // here, so the whole batch fails as unavailable.
            Err(error) if error.code() == Code::IdempotencyInFlight => Err(Error::unavailable(error)),
            done => done,
        }
    }
}

impl Appends {
    pub(super) fn new(vault: Vault) -> Self {
        Self { vault }
    }

    async fn append(
        &self,
        project: ProjectId,
        gathered: &mut Gathered<'_, Self>,
        recheck_under_lock: bool,
    ) -> Result<Vec<Result<Done>>> {
        let vault = &self.vault;
        let system = Caller::system(DbScope::Project(project));
        let mut unit = Unit::begin(&vault.core, system).await?;
        let mut admitted = unit.admit_all(&callers(gathered.items()), 0).await?;
        if !admitted.iter().any(is_new) {
            // Nonces that were consumed stay consumed.
            unit.commit().await?;
            return Ok(admitted.into_iter().map(|admitted| replayed(admitted).map(Done::Before)).collect());
        }
        let mut ledger = Ledger::lock(vault, unit, project).await?;
        // Takes in what queued during the wait for the lock, but no signed request: inserting its
        // nonce under the lock could deadlock with a batch that inserted the same nonce and waits
        // for the lock.
        let early = gathered.items().len();
        gathered.more(|append| append.by.request.proof.is_none());
        let appends = gathered.items();
        admitted.extend(ledger.unit().admit_all(&callers(appends), early).await?);
        if recheck_under_lock {
            ledger.unit().recheck(&callers(appends), &mut admitted, is_new).await?;
        }
        let outcomes = push_all(&mut ledger, appends, admitted).await?;
        if !outcomes.iter().any(|outcome| matches!(outcome, Ok(Outcome::Pushed(_)))) {
            ledger.release().await?;
            return outcomes.into_iter().map(|outcome| Ok(outcome.and_then(Outcome::before))).collect();
        }
        let mut written = ledger.write().await?;
        store_pointers(&mut written, appends, &outcomes).await?;
        let signed = Arc::new(written.commit().await?.sign(vault)?);
        Ok(outcomes.into_iter().map(|outcome| Ok(outcome?.done(&signed))).collect())
    }
}

impl Outcome {
    fn done(self, signed: &Arc<Signed>) -> Done {
        match self {
            Outcome::Pushed(seals) => Done::Now { signed: Arc::clone(signed), seals },
            Outcome::Replayed(pointer) => Done::Before(pointer),
        }
    }

    /// Returns the answer where nothing was pushed.
    fn before(self) -> Result<Done> {
        match self {
            Outcome::Pushed(_) => Err(Error::internal("a request of a batch was left out")),
            Outcome::Replayed(pointer) => Ok(Done::Before(pointer)),
        }
    }
}

fn callers(appends: &[Append]) -> Vec<Caller<'_>> {
    appends.iter().map(|append| Caller::from(&append.by)).collect()
}

fn is_new(admitted: &Admitted) -> bool {
    matches!(admitted, Ok(None))
}

fn replayed(admitted: Admitted) -> Result<StoredPointer> {
    let stored = admitted?.ok_or_else(|| Error::internal("a request of a batch was left out"))?;
    StoredPointer::from_stored(&stored)
}

/// Pushes the requests that are new, each by itself: one that is refused leaves the others as they
/// are.
async fn push_all<'a>(
    ledger: &mut Ledger<'a>,
    appends: &'a [Append],
    admitted: Vec<Admitted>,
) -> Result<Vec<Result<Outcome>>> {
    let new = appends.iter().zip(&admitted).filter(|(_, admitted)| is_new(admitted));
    ledger.load_keys(new.flat_map(|(append, _)| &append.seals)).await?;
    let outcome = |(append, admitted): (&'a Append, Admitted)| match admitted {
        Ok(None) => push(ledger, append).map(Outcome::Pushed),
        admitted => replayed(admitted).map(Outcome::Replayed),
    };
    Ok(appends.iter().zip(admitted).map(outcome).collect())
}

fn push<'a>(ledger: &mut Ledger<'a>, append: &'a Append) -> Result<Range<u64>> {
    let size = ledger.size();
    if let Some(expected) = append.expected_size.filter(|expected| *expected != size) {
        let detail = format!("is {expected}, but the log has {size} entries");
        return Err(Error::field(Code::SizeMismatch, "/expected_size", detail));
    }
    ledger.push_all(append.seals.iter().map(Cow::Borrowed), &append.by.request)
}

/// Stores where the seals of each request are, in one round trip.
async fn store_pointers(
    written: &mut Written<'_>,
    appends: &[Append],
    outcomes: &[Result<Outcome>],
) -> Result<()> {
    let mut pointers = Vec::new();
    for (append, outcome) in appends.iter().zip(outcomes) {
        if let Ok(Outcome::Pushed(seals)) = outcome {
            pointers.push((Caller::from(&append.by), written.pointer(seals).to_stored()?));
        }
    }
    written.unit().store_responses(&pointers).await
}
