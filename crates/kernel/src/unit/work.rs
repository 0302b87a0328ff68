//! A transaction on behalf of a caller.

use std::ops::{Deref, DerefMut};

use sqlx::PgConnection;

use super::{effects::Effects, store};
use crate::{
    Core,
    audit::{Change, NewEvent},
    caller::{By, Caller},
    clock::Timestamp,
    db::Tx,
    error::{Error, Result},
    ports::{Credential, Topic},
    queue::{Job, NewJob},
    signature,
};

/// A transaction on behalf of a [`Caller`]. Dropped without a commit, it is rolled back and nothing
/// of it happens.
pub struct Unit<'a> {
    core: &'a Core,
    caller: Caller<'a>,
    tx: Tx,
    now: Timestamp,
    /// True while the caller's signature is yet to be consumed: then the unit cannot commit.
    unconsumed: bool,
    effects: Effects,
}

impl<'a> Unit<'a> {
    /// Begins a transaction in the caller's scope.
    ///
    /// # Errors
    /// [`Code::Unavailable`](crate::Code::Unavailable).
    pub async fn begin(core: &'a Core, caller: impl Into<Caller<'a>>) -> Result<Self> {
        let caller = caller.into();
        let tx = core.db.begin(caller.scope).await?;
        let (now, unconsumed) = (core.clock.now(), caller.proof().is_some());
        Ok(Self { core, caller, tx, now, unconsumed, effects: Effects::default() })
    }

    /// Returns the services of the use case.
    pub fn core(&self) -> &'a Core {
        self.core
    }

    /// Returns the caller on whose behalf the transaction runs.
    pub fn caller(&self) -> &Caller<'a> {
        &self.caller
    }

    /// Returns when the unit began, which is the one time of everything in it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Writes into the audit log that the caller did `action` to `subject`.
    pub fn audit(&mut self, action: &'static str, subject: impl ToString, change: Change) {
        self.audit_by(self.caller.by, action, subject, change);
    }

    /// Writes into the audit log that somebody other than the caller did it, or that it concerns
    /// somebody else.
    pub fn audit_by(&mut self, by: By, action: &'static str, subject: impl ToString, change: Change) {
        let (id, subject) = (self.core.ids.next(), subject.to_string());
        self.effects.events.push(NewEvent { id, at: self.now, by, action, subject, change });
    }

    /// Enqueues a job that runs at once, in the trace of the caller's request.
    ///
    /// # Errors
    /// `Internal` when its payload is no JSON.
    pub fn enqueue<J: Job>(&mut self, job: &J) -> Result<()> {
        self.enqueue_at(job, self.now)
    }

    /// Enqueues a job that runs at `run_at` at the earliest.
    ///
    /// # Errors
    /// As [`Unit::enqueue`].
    pub fn enqueue_at<J: Job>(&mut self, job: &J, run_at: Timestamp) -> Result<()> {
        self.enqueue_traced(job, run_at, self.caller.request.traceparent.clone())
    }

    /// Enqueues a job in the trace of another request than the caller's, for a transaction that
    /// does the work of many requests.
    ///
    /// # Errors
    /// As [`Unit::enqueue`].
    pub fn enqueue_traced<J: Job>(
        &mut self,
        job: &J,
        run_at: Timestamp,
        traceparent: Option<String>,
    ) -> Result<()> {
        self.effects.jobs.push(NewJob::new(job, run_at, traceparent)?);
        if run_at <= self.now {
            self.wake(Topic::Jobs);
        }
        Ok(())
    }

    /// Notifies the sleepers that wait for `topic`, after the commit.
    pub fn wake(&mut self, topic: Topic) {
        self.effects.wake(topic);
    }

    /// Makes this replica forget a credential after the commit, so that it refuses a revoked
    /// credential at once.
    pub fn forget(&mut self, credential: Credential) {
        self.effects.credentials.push(credential);
    }

    /// Writes the events and jobs that were collected so far. For a body that is about to drop its
    /// own right to write them.
    ///
    /// # Errors
    /// [`Code::Unavailable`](crate::Code::Unavailable).
    pub async fn flush(&mut self) -> Result<()> {
        let (events, jobs) =
            (std::mem::take(&mut self.effects.events), std::mem::take(&mut self.effects.jobs));
        if !events.is_empty() || !jobs.is_empty() {
            store::flush(&mut self.tx, self.caller.request, &events, &jobs).await?;
        }
        Ok(())
    }

    /// Consumes the nonce of the request's signature, if it has one that is not consumed.
    ///
    /// # Errors
    /// [`Code::NonceReplayed`](crate::Code::NonceReplayed).
    pub(super) async fn consume_nonce(&mut self) -> Result<()> {
        if let Some(proof) = self.caller.proof().filter(|_| self.unconsumed) {
            let project =
                self.caller.by.project.ok_or_else(|| Error::internal("an agent signs in no project"))?;
            signature::consume_nonce(&mut self.tx, project, proof).await?;
            self.unconsumed = false;
        }
        Ok(())
    }

    /// Commits, then notifies sleepers and forgets credentials.
    ///
    /// # Errors
    /// `Internal` when the request was signed and its nonce was not consumed;
    /// [`Code::Unavailable`](crate::Code::Unavailable), and then nobody knows whether it was
    /// committed.
    pub async fn commit(mut self) -> Result<()> {
        if self.unconsumed {
            return Err(Error::internal("a signed request cannot commit before its nonce is consumed"));
        }
        self.flush().await?;
        let committed = self.tx.commit().await;
        // Forgetting is safe whether it was committed or not; the answer may have got lost.
        self.effects.credentials.iter().for_each(|credential| self.core.credentials.forget(credential));
        committed?;
        self.effects.topics.into_iter().for_each(|topic| self.core.wake.notify(topic));
        Ok(())
    }
}

impl Unit<'_> {
    /// Rolls back and returns the error, before the caller gets it: the locks of the unit must not
    /// refuse their next attempt.
    ///
    /// # Errors
    /// `refusal`.
    pub async fn refuse<R>(self, refusal: Error) -> Result<R> {
        self.roll_back().await;
        Err(refusal)
    }

    /// Ends the transaction without a trace, before the caller gets the answer: its locks must not
    /// refuse the caller's next attempt. When the roll-back cannot be sent, Postgres rolls back as
    /// the connection breaks.
    pub async fn roll_back(self) {
        let _ = self.tx.rollback().await;
    }
}

impl Deref for Unit<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for Unit<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}
