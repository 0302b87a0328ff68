//! Appending for callers: whatever queued while the last batch committed goes into the next one, under one lock and one commit.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tlog_tiles::RecordProof;

use super::{
    Vault,
    entry::{Draft, NewSeal},
    head,
    ledger::{Ledger, Placed, Written},
    new_seals::{MAX_SEALS, NewSeals},
    prove, store,
};
use kernel::{
    batch::{Batch, Batcher, Gathered},
    caller::{Permission, Principal},
    clock::Timestamp,
    db::{Caller, Tx},
    error::{Code, Error, Result},
    idempotency::{self, Once},
    ids::{LogId, ProjectId},
    signature::{self, Proof},
};

/// Seals that may wait on one replica.
const MAX_WAITING: usize = 10_000;
/// So many bytes of a seal weigh as much as one seal more: what waits is held in memory.
const BYTES_PER_WEIGHT: usize = 4 * 1024;

/// Seals of one request as they queue, to be appended one after the other, all or none.
struct Append {
    /// At least one.
    seals: Vec<Draft>,
    /// The size that the log must have before, if the caller cares.
    expected_size: Option<u64>,
    /// The request's `Idempotency-Key`.
    once: Option<Once>,
    /// The signature of the agent that asks.
    proof: Option<Proof>,
}

/// Seals that were appended, with all that proves it.
#[derive(Debug, Clone)]
pub struct Appended {
    /// In which log.
    pub log: LogId,
    /// When.
    pub at: Timestamp,
    /// The size of the tree that the checkpoint and the proofs are of.
    pub size: u64,
    /// The signed checkpoint, as C2SP signed-note text.
    pub checkpoint: Arc<str>,
    /// The seals in the order of the request, with the proof of each.
    pub seals: Vec<(Placed, RecordProof)>,
}

/// What is kept of a first answer: from it all of it can be proved again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Kept {
    first: u64,
    count: u64,
    size: u64,
}

impl Kept {
    /// Of one seal.
    pub(super) fn of(placed: &Placed, written: &Written) -> Self {
        Self { first: placed.index, count: 1, size: written.size }
    }
}

/// Where requests of one replica queue. Cloning shares the queue.
#[derive(Debug, Clone)]
pub struct Appender {
    vault: Vault,
    batcher: Batcher<Appends>,
}

impl Appender {
    /// Nothing waits yet.
    pub fn new(vault: Vault) -> Self {
        Self { batcher: Batcher::new(Appends { vault: vault.clone() }), vault }
    }

    /// Appends the seals, together with what other requests want appended to the same log. `once` is the request's `Idempotency-Key`, `proof` the signature of
    /// the agent that asks.
    ///
    /// # Errors
    /// [`Code::PermissionMissing`]; values that break a rule, of all seals; [`Code::SizeMismatch`]; [`Code::NonceReplayed`]; those of [`Once`]; [`Code::Overloaded`] when too much waits;
    /// [`Code::Unavailable`] when Postgres is away, and then it may have been appended or not: asking again with the same `Idempotency-Key` tells.
    pub async fn append(
        &self,
        by: &Principal,
        new: &NewSeals,
        once: Option<Once>,
        proof: Option<Proof>,
    ) -> Result<Appended> {
        by.require(Permission::VaultWrite)?;
        let seals = new.check(&self.vault.core.ids, by.actor)?;
        self.queue(by, Append { seals, expected_size: new.expected_size, once, proof }).await
    }

    /// [`append`](Self::append) of one seal, which is not in a list.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub async fn append_one(
        &self,
        by: &Principal,
        new: &NewSeal,
        once: Option<Once>,
        proof: Option<Proof>,
    ) -> Result<Appended> {
        by.require(Permission::VaultWrite)?;
        let seals = vec![Draft::check(&self.vault.core.ids, by.actor, new, "")?];
        self.queue(by, Append { seals, expected_size: new.expected_size, once, proof }).await
    }

    async fn queue(&self, by: &Principal, append: Append) -> Result<Appended> {
        match self.batcher.submit(by.project, append).await? {
            Answer::Now(appended) => Ok(appended),
            Answer::Before(kept) => again(&self.vault, by.project, kept).await,
        }
    }
}

/// The first answer, proved anew: the same to the byte, since trees only grow and signatures are deterministic.
pub(super) async fn again(vault: &Vault, project: ProjectId, kept: Kept) -> Result<Appended> {
    let mut tx = vault.core.db.begin(Caller::Project(project)).await?;
    let head = head::at(&mut tx, project, kept.size).await?;
    let seals = prove::many(&mut tx, project, head.size, kept.first..kept.first + kept.count).await?;
    tx.commit().await?;
    let checkpoint = vault.sign(project.into(), head.size, head.root)?.into();
    Ok(Appended { log: project.into(), at: head.at, size: head.size, checkpoint, seals })
}

/// The work of the batcher.
struct Appends {
    vault: Vault,
}

/// What the batcher answers.
enum Answer {
    Now(Appended),
    Before(Kept),
}

impl Batch for Appends {
    type Key = ProjectId;
    type Item = Append;
    type Answer = Answer;
    const BATCH: usize = MAX_SEALS;
    const QUEUE: usize = MAX_WAITING;

    fn weight(append: &Append) -> usize {
        append.seals.iter().map(|seal| 1 + seal.bytes() / BYTES_PER_WEIGHT).sum()
    }

    async fn run(&self, project: ProjectId, appends: &mut Gathered<'_, Self>) -> Result<Vec<Result<Answer>>> {
        match self.once(project, appends, false).await {
            // Another replica has just committed one of these requests. Under the lock its answer is found, and no other can be added.
            Err(error) if error.code() == Code::IdempotencyInFlight => {}
            done => return done,
        }
        match self.once(project, appends, true).await {
            // Another request is using one of the keys right now; we cannot tell which, so the whole batch fails as unavailable.
            Err(error) if error.code() == Code::IdempotencyInFlight => Err(Error::unavailable(error)),
            done => done,
        }
    }
}

impl Appends {
    async fn once(
        &self,
        project: ProjectId,
        gathered: &mut Gathered<'_, Self>,
        surely: bool,
    ) -> Result<Vec<Result<Answer>>> {
        let vault = &self.vault;
        let mut tx = vault.core.db.begin(Caller::Project(project)).await?;
        let mut outcomes = judge(&mut tx, vault, project, gathered.items(), 0).await?;
        if !outcomes.iter().any(Asked::is_new) {
            // Nonces that were spent stay spent.
            tx.commit().await?;
            return Ok(outcomes.into_iter().map(|outcome| outcome.and_then(Asked::before)).collect());
        }
        let mut ledger = Ledger::lock(&mut tx, vault, project).await?;
        // Take in what queued while we waited for the lock, but no signed request: inserting its nonce under the lock could deadlock with a batch that
        // inserted the same nonce and waits for this lock.
        let early = gathered.items().len();
        gathered.more(|append| append.proof.is_none());
        let appends = gathered.items();
        outcomes.extend(judge(&mut tx, vault, project, appends, early).await?);
        if surely {
            look_again(&mut tx, vault, appends, &mut outcomes, Asked::is_new).await?;
        }
        let new = appends.iter().zip(&outcomes).filter(|(_, outcome)| Asked::is_new(outcome));
        ledger.open_keys(&mut tx, new.flat_map(|(append, _)| &append.seals)).await?;
        for (append, outcome) in appends.iter().zip(&mut outcomes) {
            if Asked::is_new(outcome) {
                *outcome = push(&mut ledger, append);
            }
        }
        if !outcomes.iter().any(|outcome| matches!(outcome, Ok(Asked::Placed(_)))) {
            tx.commit().await?;
            return Ok(outcomes.into_iter().map(|outcome| outcome.and_then(Asked::before)).collect());
        }
        let written = ledger.write(&mut tx).await?;
        let answers: Vec<(&Once, Kept)> = appends
            .iter()
            .zip(&outcomes)
            .filter_map(|(append, outcome)| Some((append.once.as_ref()?, outcome.as_ref().ok()?.kept(written.size)?)))
            .collect();
        idempotency::keep_all(&answers, &mut tx, &vault.core).await?;
        commit(vault, tx, &written).await?;
        let checkpoint: Arc<str> = vault.sign(project.into(), written.size, written.root)?.into();
        let answer = |asked: Asked| match asked {
            Asked::Placed(placed) => Ok(Answer::Now(appended(project, &written, &checkpoint, placed)?)),
            other => other.before(),
        };
        Ok(outcomes.into_iter().map(|outcome| outcome.and_then(answer)).collect())
    }
}

/// How it stands with one request of a batch.
enum Asked {
    New,
    Before(Kept),
    Placed(Vec<Placed>),
}

impl Asked {
    fn is_new(outcome: &Result<Self>) -> bool {
        matches!(outcome, Ok(Asked::New))
    }

    /// The answer to what is not appended now.
    fn before(self) -> Result<Answer> {
        match self {
            Asked::Before(kept) => Ok(Answer::Before(kept)),
            Asked::New | Asked::Placed(_) => Err(Error::internal("a request of a batch was left out")),
        }
    }

    fn kept(&self, size: u64) -> Option<Kept> {
        match self {
            Asked::Placed(placed) => {
                let first = placed.first()?.index;
                Some(Kept { first, count: placed.len() as u64, size })
            }
            Asked::New | Asked::Before(_) => None,
        }
    }
}

/// Which of the requests from `first` on were answered before, and which are replayed signatures. Each costs a round trip for all of them, and none where
/// nobody brought a key or a signature.
async fn judge(
    tx: &mut PgConnection,
    vault: &Vault,
    project: ProjectId,
    appends: &[Append],
    first: usize,
) -> Result<Vec<Result<Asked>>> {
    let (before, appends) = appends.split_at(first);
    if appends.iter().all(|append| append.once.is_none() && append.proof.is_none()) {
        return Ok(appends.iter().map(|_| Ok(Asked::New)).collect());
    }
    // Include the earlier requests, so that a key used twice in one batch is seen.
    let keys: Vec<Option<&Once>> = before.iter().chain(appends).map(|append| append.once.as_ref()).collect();
    let claims = idempotency::claim_all(&keys, tx, &vault.core).await?;
    let mut outcomes: Vec<Result<Asked>> = claims
        .into_iter()
        .skip(first)
        .map(|claim| claim.map(|first| first.map_or(Asked::New, Asked::Before)))
        .collect();
    let signed: Vec<usize> = (0..appends.len())
        .filter(|n| {
            appends.get(*n).is_some_and(|append| append.proof.is_some())
                && matches!(outcomes.get(*n), Some(Ok(Asked::New)))
        })
        .collect();
    let proofs: Vec<&Proof> = signed.iter().filter_map(|n| appends.get(*n)?.proof.as_ref()).collect();
    for (n, spent) in signed.into_iter().zip(signature::spend_all(tx, project, &proofs).await?) {
        if let (Err(replayed), Some(outcome)) = (spent, outcomes.get_mut(n)) {
            *outcome = Err(replayed);
        }
    }
    // The first one may have been committed after the claim looked, and before the nonce was.
    let replayed = |outcome: &Result<Asked>| outcome.as_ref().is_err_and(|error| error.code() == Code::NonceReplayed);
    look_again(tx, vault, appends, &mut outcomes, replayed).await?;
    Ok(outcomes)
}

/// Looks for first answers that were committed since the first look, for requests of which it is worth it. No round trip where none of them has a key.
async fn look_again(
    tx: &mut PgConnection,
    vault: &Vault,
    appends: &[Append],
    outcomes: &mut [Result<Asked>],
    worth_it: impl Fn(&Result<Asked>) -> bool,
) -> Result<()> {
    let asked = appends.iter().zip(outcomes.iter());
    let keys: Vec<Option<&Once>> =
        asked.map(|(append, outcome)| append.once.as_ref().filter(|_| worth_it(outcome))).collect();
    let claims = idempotency::claim_all(&keys, tx, &vault.core).await?;
    for (claim, outcome) in claims.into_iter().zip(outcomes) {
        if let Some(found) = claim.transpose() {
            *outcome = found.map(Asked::Before);
        }
    }
    Ok(())
}

fn push<'a>(ledger: &mut Ledger<'a>, append: &'a Append) -> Result<Asked> {
    let size = ledger.size();
    if let Some(expected) = append.expected_size.filter(|expected| *expected != size) {
        let detail = format!("is {expected}, and the log has {size} entries");
        return Err(Error::field(Code::SizeMismatch, "/expected_size", detail));
    }
    ledger.push_all(&append.seals).map(Asked::Placed)
}

/// What was committed outside the queue, with a checkpoint of its own.
pub(super) fn signed(vault: &Vault, project: ProjectId, written: &Written, placed: Vec<Placed>) -> Result<Appended> {
    let checkpoint = vault.sign(project.into(), written.size, written.root)?.into();
    appended(project, written, &checkpoint, placed)
}

fn appended(project: ProjectId, written: &Written, checkpoint: &Arc<str>, placed: Vec<Placed>) -> Result<Appended> {
    let prove = |placed: Placed| written.prove(placed.index).map(|proof| (placed, proof));
    let seals = placed.into_iter().map(prove).collect::<Result<_>>()?;
    Ok(Appended { log: project.into(), at: written.at, size: written.size, checkpoint: Arc::clone(checkpoint), seals })
}

/// Commits, before anything is signed; where the connection broke before the answer came, finds out how it ended. What is not known to be committed is not signed.
pub(super) async fn commit(vault: &Vault, tx: Tx, written: &Written) -> Result<()> {
    let Err(broken) = tx.commit().await else { return Ok(()) };
    for wait in [10, 100, 400, 1_000] {
        tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
        let Ok(mut tx) = vault.core.db.begin(Caller::Project(written.project)).await else { continue };
        match store::ended(&mut tx, written).await {
            Ok(Some(true)) => return Ok(()),
            Ok(Some(false)) => break,
            // Its backend has not noticed yet, or Postgres is still away.
            Ok(None) | Err(_) => {}
        }
    }
    Err(broken.into())
}
