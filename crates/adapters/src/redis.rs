//! Redis: one server, one logical database for each use, so that clearing one leaves the others.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::OnceLock, time::Duration};

use deadpool_redis::{Connection, Manager, Pool};
use domain::ports::{RateCounter, RateDecision};
use futures::future::BoxFuture;
use redis::{AsyncConnectionConfig, IntoConnectionInfo, Script};
use url::Url;

use crate::{
    gcra::Gcra,
    guard::{Driver, Failure, Guarded},
};

/// Connections of one process to one logical database. Calls beyond it wait for one of them, no longer than a call may take.
const MAX_CONNECTIONS: usize = 16;

/// What Redis is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RedisUse {
    /// Sessions of people.
    Sessions,
    /// Answers that may be forgotten.
    Cache,
    /// Requests counted for each caller.
    RateLimit,
    /// Counters of the product.
    Metrics,
}

impl RedisUse {
    const ALL: [Self; 4] = [Self::Sessions, Self::Cache, Self::RateLimit, Self::Metrics];

    fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Cache => "cache",
            Self::RateLimit => "rate_limit",
            Self::Metrics => "metrics",
        }
    }
}

/// The number of the logical database for each use; `REDIS_DBS`, such as `sessions=0,cache=1,rate_limit=5,metrics=6`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisDbs(BTreeMap<RedisUse, u16>);

impl RedisDbs {
    /// The number for `purpose`.
    pub fn number(&self, purpose: RedisUse) -> u16 {
        self.0.get(&purpose).copied().unwrap_or_default()
    }
}

impl Default for RedisDbs {
    fn default() -> Self {
        Self([(RedisUse::Sessions, 0), (RedisUse::Cache, 1), (RedisUse::RateLimit, 5), (RedisUse::Metrics, 6)].into())
    }
}

/// A text that does not say which database serves what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{entry}` is not one of sessions, cache, rate_limit or metrics, then `=` and the number of a Redis database, such as cache=1"
)]
pub struct NotRedisDbs {
    entry: String,
}

impl FromStr for RedisDbs {
    type Err = NotRedisDbs;

    /// Uses that the text leaves out keep their default.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut dbs = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let wrong = || NotRedisDbs { entry: entry.to_owned() };
            let (name, number) = entry.split_once('=').ok_or_else(wrong)?;
            let purpose = RedisUse::ALL.into_iter().find(|purpose| purpose.name() == name.trim()).ok_or_else(wrong)?;
            dbs.0.insert(purpose, number.trim().parse().map_err(|_| wrong())?);
        }
        Ok(dbs)
    }
}

impl fmt::Display for RedisDbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (purpose, number)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}={number}", purpose.name())?;
        }
        Ok(())
    }
}

/// The client: a pool for each logical database that is in use.
pub(crate) struct Redis {
    url: Url,
    dbs: RedisDbs,
    rate_limit: OnceLock<Pool>,
    take: Script,
}

impl Redis {
    pub(crate) fn new(url: Url, dbs: RedisDbs) -> Self {
        Self { url, dbs, rate_limit: OnceLock::new(), take: Script::new(TAKE) }
    }

    async fn rate_limit(&self) -> Result<Connection, Failure> {
        let pool = match self.rate_limit.get() {
            Some(pool) => pool,
            None => {
                let pool = self.pool(RedisUse::RateLimit)?;
                self.rate_limit.get_or_init(|| pool)
            }
        };
        Ok(pool.get().await?)
    }

    /// Makes no connection yet.
    fn pool(&self, purpose: RedisUse) -> Result<Pool, Failure> {
        let server = self.url.as_str().into_connection_info()?;
        let settings = server.redis_settings().clone().set_db(i64::from(self.dbs.number(purpose)));
        // The guard's limits are shorter; these end what a cancelled call may have left behind.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(2)));
        let manager = Manager::new_with_config(server.set_redis_settings(settings), config)?;
        Ok(Pool::builder(manager).max_size(MAX_CONNECTIONS).build()?)
    }

    async fn take(&self, subject: &str, quota: u32, window_seconds: u32) -> Result<RateDecision, Failure> {
        let gcra = Gcra::new(quota, window_seconds);
        let mut connection = self.rate_limit().await?;
        let mut call = self.take.key(format!("holdfast:rate:{subject}"));
        let (allowed, ahead): (bool, i64) =
            call.arg(gcra.window).arg(gcra.interval).invoke_async(&mut connection).await?;
        Ok(gcra.decision(allowed, ahead))
    }
}

impl Driver for Redis {
    const NAME: &'static str = "redis";

    async fn probe(&self) -> Result<(), Failure> {
        let mut connection = self.rate_limit().await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(())
    }

    fn reset(&self) {
        if let Some(pool) = self.rate_limit.get() {
            pool.retain(|_, _| false);
        }
    }
}

impl RateCounter for Guarded<Redis> {
    fn take<'a>(&'a self, subject: &'a str, quota: u32, window_seconds: u32) -> BoxFuture<'a, Option<RateDecision>> {
        Box::pin(self.call(move |redis| redis.take(subject, quota, window_seconds)))
    }
}

/// [`Gcra::admit`] where the number is kept, by the server's own clock, so that no two processes need to agree on the time. The key expires when
/// the whole quota is there again, which says the same as no key. Microseconds since 1970 are exact in a double until the year 2255.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local window, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now), now + window)
local next = arrival + interval
if next > now + window then
  return {0, arrival - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
return {1, next - now}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_read_as_they_are_written() {
        let text = "sessions=0,cache=1,rate_limit=5,metrics=6";
        assert_eq!(RedisDbs::default().to_string(), text);
        assert_eq!(text.parse(), Ok(RedisDbs::default()));
        let dbs: RedisDbs = " rate_limit = 9 ,".parse().unwrap();
        assert_eq!((dbs.number(RedisUse::RateLimit), dbs.number(RedisUse::Cache)), (9, 1));
    }

    #[test]
    fn a_wrong_entry_is_named() {
        for wrong in ["cache", "cash=1", "cache=one", "cache=-1", "cache=70000"] {
            let error = wrong.parse::<RedisDbs>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{wrong}` is not")), "{error}");
        }
    }
}
