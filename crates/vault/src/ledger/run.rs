//! Sealing outside the batches, from begin to end.

use kernel::{
    Unit,
    answer::Answer,
    caller::Caller,
    error::{Error, Result},
    ids::ProjectId,
};

use super::{
    replay::{StoredPointer, prove_again},
    session::Ledger,
};
use crate::{model::Sealed, vault::Vault};

impl<'a> Ledger<'a> {
    /// Runs `body` under the lock of the project's log and commits its seals and rows, unless it
    /// fails. A body that pushes nothing leaves the log as it is.
    ///
    /// # Errors
    /// [`Code::Overloaded`](kernel::Code::Overloaded) when too many wait for the log;
    /// [`Code::LogBehind`](kernel::Code::LogBehind); those of `body`.
    pub(crate) async fn run<R>(
        vault: &'a Vault,
        caller: impl Into<Caller<'a>>,
        body: impl AsyncFnOnce(&mut Ledger<'_>) -> Result<R>,
    ) -> Result<R> {
        let caller = caller.into();
        let project = project_of(&caller)?;
        let _lock = vault.locks.lock(project).await?;
        let unit = Unit::begin(&vault.core, caller).await?;
        let mut ledger = Ledger::lock(vault, unit, project).await?;
        match body(&mut ledger).await {
            Ok(done) => {
                ledger.finish().await?;
                Ok(done)
            }
            Err(refused) => {
                ledger.unit.roll_back().await;
                Err(refused)
            }
        }
    }

    /// Runs [`Ledger::run`] for a request whose `body` pushes one seal and returns its index.
    /// Answers with that seal and its proof. A request that was answered before gets that answer
    /// again.
    ///
    /// # Errors
    /// As [`Ledger::run`], and [`Code::IdempotencyInFlight`](kernel::Code::IdempotencyInFlight),
    /// [`Code::IdempotencyKeyReused`](kernel::Code::IdempotencyKeyReused),
    /// [`Code::NonceReplayed`](kernel::Code::NonceReplayed).
    pub(crate) async fn run_once(
        vault: &'a Vault,
        caller: impl Into<Caller<'a>>,
        body: impl AsyncFnOnce(&mut Ledger<'_>) -> Result<u64>,
    ) -> Result<Answer<Sealed>> {
        let caller = caller.into();
        let project = project_of(&caller)?;
        let _lock = vault.locks.lock(project).await?;
        let mut unit = Unit::begin(&vault.core, caller).await?;
        // Before the lock: the holder of the lock never waits for a nonce, so there is no circle of
        // waiting.
        let first = match unit.admit().await {
            Ok(first) => first,
            Err(refused) => {
                unit.roll_back().await;
                return Err(refused);
            }
        };
        if let Some(first) = first {
            unit.roll_back().await;
            let appended = prove_again(vault, project, StoredPointer::from_stored(&first)?).await?;
            return Ok(Answer::created(&appended.one()?)?.again());
        }
        let mut ledger = Ledger::lock(vault, unit, project).await?;
        let index = match body(&mut ledger).await {
            Ok(index) => index,
            Err(refused) => {
                ledger.unit.roll_back().await;
                return Err(refused);
            }
        };
        let seal = index..index + 1;
        let mut written = ledger.write().await?;
        let pointer = written.pointer(&seal).to_stored()?;
        written.unit().store_response(&pointer).await?;
        let signed = written.commit().await?.sign(vault)?;
        Answer::created(&signed.prove(seal)?.one()?)
    }

    /// Commits the pushed seals, or the unit alone when nothing was pushed.
    async fn finish(self) -> Result<()> {
        if self.pushed.is_empty() {
            return self.release().await;
        }
        self.write().await?.commit().await.map(drop)
    }

    /// Commits the unit and leaves the log as it is.
    ///
    /// # Errors
    /// `Internal` when something was pushed; [`Code::Unavailable`](kernel::Code::Unavailable).
    pub(crate) async fn release(self) -> Result<()> {
        if !self.pushed.is_empty() {
            return Err(Error::internal("seals were pushed, and are not written"));
        }
        self.unit.commit().await
    }
}

fn project_of(caller: &Caller<'_>) -> Result<ProjectId> {
    caller.by.project.ok_or_else(|| Error::internal("nothing is sealed outside a project"))
}
