//! Redis: one server, one logical database for each use, so that clearing one leaves the others.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use kernel::ports::{RateCounter, RateDecision};
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, Script, aio::MultiplexedConnection};
use url::Url;

use crate::{
    gcra::Gcra,
    guard::{Driver, Failure, Guarded},
};

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

/// The number of the logical database for each use; `REDIS_DBS`, such as
/// `sessions=0,cache=1,rate_limit=5,metrics=6`.
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
        Self(
            [(RedisUse::Sessions, 0), (RedisUse::Cache, 1), (RedisUse::RateLimit, 5), (RedisUse::Metrics, 6)]
                .into(),
        )
    }
}

/// A text that does not say which database serves what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{entry}` is not one of sessions, cache, rate_limit or metrics, then `=` and the number of a Redis \
    database, such as cache=1"
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
            let purpose =
                RedisUse::ALL.into_iter().find(|purpose| purpose.name() == name.trim()).ok_or_else(wrong)?;
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

/// The client: one connection for each logical database that is in use.
pub(crate) struct Redis {
    rate_limit: Database,
    take: Script,
}

impl Redis {
    /// Makes no connection yet. A `url` that Redis' client cannot use makes every probe fail.
    pub(crate) fn new(url: &Url, dbs: &RedisDbs) -> Self {
        Self { rate_limit: Database::new(url, dbs.number(RedisUse::RateLimit)), take: Script::new(TAKE) }
    }

    async fn take(&self, subject: &str, quota: u32, window_seconds: u32) -> Result<RateDecision, Failure> {
        let gcra = Gcra::new(quota, window_seconds);
        let mut connection = self.rate_limit.connection().await?;
        let mut call = self.take.key(format!("holdfast:rate:{subject}"));
        let (allowed, ahead): (bool, i64) =
            call.arg(gcra.window).arg(gcra.interval).invoke_async(&mut connection).await?;
        Ok(gcra.decision(allowed, ahead))
    }
}

impl Driver for Redis {
    const NAME: &'static str = "redis";

    async fn probe(&self) -> Result<(), Failure> {
        let mut connection = self.rate_limit.connection().await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(())
    }

    fn reset(&self) {
        self.rate_limit.slot().take();
    }
}

/// One connection to one logical database, which all calls share: they are sent as they come and
/// answered in order, so a round trip is not paid twice, as a pool would that tries a connection
/// before it hands it out.
struct Database {
    client: Result<Client, Failure>,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Database {
    fn new(url: &Url, number: u16) -> Self {
        let client = || {
            let server = url.as_str().into_connection_info()?;
            let settings = server.redis_settings().clone().set_db(i64::from(number));
            Client::open(server.set_redis_settings(settings))
        };
        Self { client: client().map_err(Failure::from), connection: Mutex::default() }
    }

    /// It is a probe that finds none and connects, since calls are let through only after one has
    /// succeeded.
    async fn connection(&self) -> Result<MultiplexedConnection, Failure> {
        if let Some(connection) = &*self.slot() {
            return Ok(connection.clone());
        }
        // The guard's limits are shorter; these end what a cancelled call may have left behind.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(2)));
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(self.slot().insert(connection).clone())
    }

    fn slot(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RateCounter for Guarded<Redis> {
    fn take<'a>(
        &'a self,
        subject: &'a str,
        quota: u32,
        window_seconds: u32,
    ) -> BoxFuture<'a, Option<RateDecision>> {
        Box::pin(self.call(move |redis| redis.take(subject, quota, window_seconds)))
    }
}

/// [`Gcra::admit`] where the number is kept, by the server's own clock, so that no two processes
/// need to agree on the time. The key expires when the whole quota is there again, which says the
/// same as no key. Microseconds since 1970 are exact in a double until the year 2255.
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
