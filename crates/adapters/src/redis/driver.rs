//! The client of Redis: a pool for each logical database that has a use.

use std::time::Duration;

use futures::future::BoxFuture;
use kernel::{
    batch::Batcher,
    ports::{RateCounter, RateDecision},
};
use url::Url;

use super::{
    count::{Counter, Take},
    dbs::{RedisDbs, RedisUse},
    pool::{CALL_LIMIT, PROBE_LIMIT, Pool},
};
use crate::{
    gcra::Gcra,
    guard::{Driver, Failure, Guarded},
};

/// The subject that probes count, so that they write where the calls write, and the requests that
/// it may make in a second: more than there are probes, since a refused request writes nothing.
const PROBED: (&str, u32) = ("probe", 1000);

/// A Redis client. It connects when first used.
pub(crate) struct Redis {
    rate_limit: Pool,
    counter: Counter,
    counts: Batcher<Counter>,
}

impl Redis {
    /// Creates a client, without a connection yet. A `url` that Redis' client cannot use makes
    /// every probe fail.
    pub(crate) fn new(url: &Url, dbs: &RedisDbs) -> Self {
        let rate_limit = Pool::new(url, dbs.number(RedisUse::RateLimit));
        let counter = Counter::new(rate_limit.clone());
        Self { rate_limit, counts: Batcher::new(counter.clone()), counter }
    }

    /// Takes a request from the quota of `subject`, together with all that are asked for at this
    /// time.
    pub(super) async fn take(&self, subject: &str, gcra: Gcra) -> Result<RateDecision, Failure> {
        self.counts.submit((), Take::new(subject, gcra)).await?
    }

    #[cfg(test)]
    pub(super) fn pool(&self) -> &Pool {
        &self.rate_limit
    }
}

impl Driver for Redis {
    const NAME: &'static str = "redis";
    const CALL_LIMIT: Duration = CALL_LIMIT;
    const PROBE_LIMIT: Duration = PROBE_LIMIT;

    /// Does what a batch does, but not behind one that hangs.
    async fn probe(&self) -> Result<(), Failure> {
        self.counter.take_one(Take::new(PROBED.0, Gcra::new(PROBED.1, 1))).await
    }

    fn reset(&self) {
        self.rate_limit.clear();
    }
}

impl RateCounter for Guarded<Redis> {
    fn take<'a>(
        &'a self,
        subject: &'a str,
        quota: u32,
        window_seconds: u32,
    ) -> BoxFuture<'a, Option<RateDecision>> {
        Box::pin(self.call(move |redis| redis.take(subject, Gcra::new(quota, window_seconds))))
    }
}
