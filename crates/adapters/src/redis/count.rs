//! Counts requests in batches: requests that arrive during one round trip go with the next.
//!
//! A checkout from the pool costs a round trip of its own, since the pool tries a connection before
//! it hands it out. A batch pays it once, and takes in what arrives during it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool_redis::{Connection, redis::Script};
use kernel::{
    batch::{Batch, Gathered},
    ports::RateDecision,
};

use super::pool::{CALL_LIMIT, Pool};
use crate::{gcra::Gcra, guard::Failure};

/// Counts requests in Redis. Cloning shares its connections.
#[derive(Clone)]
pub(super) struct Counter {
    pool: Pool,
    script: Arc<Script>,
}

/// A request that asks for its share of a quota.
pub(super) struct Take {
    key: String,
    gcra: Gcra,
    asked: Instant,
}

impl Take {
    pub(super) fn new(subject: &str, gcra: Gcra) -> Self {
        Self { key: format!("holdfast:rate:{subject}"), gcra, asked: Instant::now() }
    }

    /// Returns whether the guard has let the caller go by now.
    fn is_late(&self) -> bool {
        self.asked.elapsed() >= CALL_LIMIT
    }
}

impl Counter {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, script: Arc::new(Script::new(include_str!("take.lua"))) }
    }

    /// Takes one request, on a connection of its own.
    pub(super) async fn take_one(&self, take: Take) -> Result<(), Failure> {
        self.take_all(&mut self.pool.get().await?, &[take]).await.map(drop)
    }

    /// Takes `takes` in one round trip, which happens to all of them or to none. A server that has
    /// forgotten the script counts nothing, is sent the script, and is asked again.
    async fn take_all(
        &self,
        connection: &mut Connection,
        takes: &[Take],
    ) -> Result<Vec<RateDecision>, Failure> {
        let mut call = self.script.prepare_invoke();
        for Take { key, gcra, .. } in takes {
            call.key(key).arg(gcra.window).arg(gcra.interval);
        }
        let answers: Vec<(bool, i64)> = call.invoke_async(connection).await?;
        let decided =
            takes.iter().zip(answers).map(|(take, (allowed, ahead))| take.gcra.decision(allowed, ahead));
        Ok(decided.collect())
    }

    /// Checks a connection out, and takes what has come by then.
    async fn take_gathered(&self, takes: &mut Gathered<'_, Self>) -> Result<Vec<RateDecision>, Failure> {
        if takes.items().iter().all(Take::is_late) {
            return Err(Failure::TimedOut(CALL_LIMIT));
        }
        let mut connection = self.pool.get().await?;
        takes.more(|_| true);
        self.take_all(&mut connection, takes.items()).await
    }
}

impl Batch for Counter {
    type Key = ();
    type Item = Take;
    type Answer = Result<RateDecision, Failure>;
    /// The most requests in a batch. The script takes some 3 µs for each, in which the server does
    /// nothing else.
    const BATCH: usize = 256;
    const QUEUE: usize = 65_536;
    const TIMEOUT: Duration = CALL_LIMIT;

    async fn run(
        &self,
        (): (),
        takes: &mut Gathered<'_, Self>,
    ) -> kernel::Result<Vec<kernel::Result<Self::Answer>>> {
        Ok(match self.take_gathered(takes).await {
            Ok(decisions) => decisions.into_iter().map(|decision| Ok(Ok(decision))).collect(),
            Err(failure) => takes.items().iter().map(|_| Ok(Err(failure.clone()))).collect(),
        })
    }
}
