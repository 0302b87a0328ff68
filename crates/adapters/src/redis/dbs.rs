//! `REDIS_DBS`: one server, and a logical database for each use, so that clearing one leaves the
//! others.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// A use of Redis.
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

/// The number of the logical database for each use, such as
/// `sessions=0,cache=1,rate_limit=5,metrics=6`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisDbs(BTreeMap<RedisUse, u16>);

impl RedisDbs {
    /// Returns the number for `purpose`.
    pub fn number(&self, purpose: RedisUse) -> u16 {
        self.0.get(&purpose).copied().unwrap_or_default()
    }
}

impl Default for RedisDbs {
    fn default() -> Self {
        let defaults =
            [(RedisUse::Sessions, 0), (RedisUse::Cache, 1), (RedisUse::RateLimit, 5), (RedisUse::Metrics, 6)];
        Self(defaults.into())
    }
}

/// A text that does not name a database for a use.
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

    /// Reads a list of `use=number`. Uses that it leaves out keep their default.
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
