//! Effects: calls to other people's servers that change something there, such as mail. Ports of
//! effects run only from jobs, whose retry is the fallback; all of them answer in one shape.

use std::time::Duration;

/// The outcome of an attempt at an effect.
pub type Effect<T = ()> = Result<T, Failed>;

/// The reason why an effect did not happen, in words for the operator or the owner of the receiver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failed {
    /// The cause.
    pub detail: String,
    /// When another attempt makes sense.
    pub retry: Retry,
}

/// When another attempt makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After the job's own backoff.
    Backoff,
    /// Not before this long.
    After(Duration),
    /// Never: the other side refuses it for good.
    Never,
}

impl Failed {
    /// Describes a failure that may pass by itself.
    pub fn new(detail: impl ToString) -> Self {
        Self { detail: detail.to_string(), retry: Retry::Backoff }
    }

    /// Describes a refusal that another attempt would meet again.
    pub fn for_good(detail: impl ToString) -> Self {
        Self { detail: detail.to_string(), retry: Retry::Never }
    }

    /// Says when the other side wants to be asked again, where it said so.
    #[must_use]
    pub fn retry_after(self, wait: Option<Duration>) -> Self {
        Self { retry: wait.map_or(self.retry, Retry::After), ..self }
    }
}
