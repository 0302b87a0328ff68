//! Running a unit of work from begin to end.

use sqlx::PgConnection;

use super::work::Unit;
use crate::{
    Core,
    answer::{Answer, Resource},
    caller::Caller,
    error::Result,
};

impl Core {
    /// Reads on behalf of `caller`, in one transaction.
    ///
    /// # Errors
    /// [`Code::Unavailable`](crate::Code::Unavailable) and those of `body`.
    pub async fn read<'a, R>(
        &'a self,
        caller: impl Into<Caller<'a>>,
        body: impl AsyncFnOnce(&mut PgConnection) -> Result<R>,
    ) -> Result<R> {
        let mut tx = self.db.begin(caller.into().scope).await?;
        let found = body(&mut tx).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Runs `body` in a unit of work and commits, unless it fails. A body that refuses and yet has
    /// something to commit returns `Ok(Err(refusal))`.
    ///
    /// # Errors
    /// [`Code::NonceReplayed`](crate::Code::NonceReplayed),
    /// [`Code::Unavailable`](crate::Code::Unavailable) and those of `body`.
    pub async fn write<'a, R>(
        &'a self,
        caller: impl Into<Caller<'a>>,
        body: impl AsyncFnOnce(&mut Unit<'_>) -> Result<R>,
    ) -> Result<R> {
        Unit::begin(self, caller).await?.run(body).await
    }

    /// Runs [`Core::write`] for a request that may be sent twice: with an `Idempotency-Key`, the
    /// second gets the first answer.
    ///
    /// # Errors
    /// As [`Core::write`], and [`Code::IdempotencyInFlight`](crate::Code::IdempotencyInFlight),
    /// [`Code::IdempotencyKeyReused`](crate::Code::IdempotencyKeyReused).
    pub async fn write_once<'a, T: Resource>(
        &'a self,
        caller: impl Into<Caller<'a>>,
        body: impl AsyncFnOnce(&mut Unit<'_>) -> Result<Answer<T>>,
    ) -> Result<Answer<T>> {
        Unit::begin(self, caller).await?.run_once(body).await
    }
}

impl<'a> Unit<'a> {
    /// Consumes the nonce, runs `body` and commits, unless it fails.
    ///
    /// # Errors
    /// As [`Core::write`].
    pub async fn run<R>(mut self, body: impl AsyncFnOnce(&mut Unit<'_>) -> Result<R>) -> Result<R> {
        let done = match self.consume_nonce().await {
            Ok(()) => body(&mut self).await,
            Err(error) => Err(error),
        };
        self.end(done).await
    }

    /// Runs [`Unit::run`], unless the request was answered before.
    ///
    /// # Errors
    /// As [`Core::write_once`].
    pub async fn run_once<T: Resource>(
        mut self,
        body: impl AsyncFnOnce(&mut Unit<'_>) -> Result<Answer<T>>,
    ) -> Result<Answer<T>> {
        let done = self.once(body).await;
        match done {
            Ok(answer) if answer.is_replayed() => {
                self.roll_back().await;
                Ok(answer)
            }
            done => self.end(done).await,
        }
    }

    async fn once<T: Resource>(
        &mut self,
        body: impl AsyncFnOnce(&mut Unit<'_>) -> Result<Answer<T>>,
    ) -> Result<Answer<T>> {
        if let Some(first) = self.admit().await? {
            return Answer::replayed(&first);
        }
        let answer = body(self).await?;
        self.store_response(&answer.to_stored()?).await?;
        Ok(answer)
    }

    async fn end<R>(self, done: Result<R>) -> Result<R> {
        match done {
            Ok(done) => self.commit().await.map(|()| done),
            Err(refusal) => self.refuse(refusal).await,
        }
    }
}
