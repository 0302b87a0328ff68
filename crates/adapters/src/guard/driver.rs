//! The client of a dependency, and how its calls fail.

use std::{fmt, future::Future, time::Duration};

/// The client of one dependency. It sets no timeouts: the guard that holds it does.
pub(crate) trait Driver: Send + Sync + 'static {
    /// The name in `/health` and the metrics.
    const NAME: &'static str;
    /// The limit of a call: the cost of a call to a frozen dependency.
    const CALL_LIMIT: Duration = Duration::from_millis(250);
    /// The limit of a probe. Longer than a call's, since a probe often has to connect first, and
    /// nobody waits for it.
    const PROBE_LIMIT: Duration = Duration::from_secs(1);
    /// The longest time between probes of a dependency that is away, jitter aside.
    const LONGEST_WINDOW: Duration = Duration::from_secs(3);

    /// Makes one round trip to the dependency's server and back, doing what the calls do.
    fn probe(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Drops connections that may be dead, when the dependency was found away.
    fn reset(&self) {}
}

/// A failed call.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// No answer within this time.
    TimedOut(Duration),
    /// Not reached, or refused; the text is for the log alone.
    Broken(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Failure {
    /// Describes the failure in words fit for anybody to read: no host, and nothing that the
    /// dependency said.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::TimedOut(limit) => format!("did not answer within {} ms", limit.as_millis()),
            Self::Broken(_) => "could not be reached, or answered with an error".to_owned(),
        }
    }

    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::TimedOut(_) => "timed_out",
            Self::Broken(_) => "failed",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(_) => f.write_str(&self.detail()),
            Self::Broken(reason) => f.write_str(reason),
        }
    }
}
