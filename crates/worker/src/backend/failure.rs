//! The error of a failed run.

use apalis::layers::sentry::SentryTaskError;
use kernel::effect::{Failed, Retry};

use crate::{error_text::chain, registry::BoxError};

/// The most bytes of an error that are stored.
const LONGEST: usize = 2000;

/// The error of a failed run, and when another attempt makes sense.
pub(super) struct Failure {
    /// The text of the error and its sources, without NUL, which Postgres refuses.
    pub(super) error: String,
    pub(super) retry: Retry,
}

impl Failure {
    /// Reads an error, without the wrapping that layers added.
    pub(super) fn of(error: BoxError) -> Self {
        let error = match error.downcast::<SentryTaskError>() {
            Ok(wrapped) => match *wrapped {
                SentryTaskError::Inner(inner) => inner,
                other => other.into(),
            },
            Err(error) => error,
        };
        let retry = error.downcast_ref::<Failed>().map_or(Retry::Backoff, |failed| failed.retry);
        let mut text = chain(error.as_ref()).replace('\0', "");
        text.truncate(text.floor_char_boundary(LONGEST));
        Self { error: text, retry }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_effect_says_when_another_attempt_makes_sense() {
        let wait = Duration::from_secs(7);
        for (failed, retry) in [
            (Failed::new("away"), Retry::Backoff),
            (Failed::new("busy").retry_after(Some(wait)), Retry::After(wait)),
            (Failed::for_good("refused"), Retry::Never),
        ] {
            let wrapped = SentryTaskError::Inner(Box::new(failed));
            assert_eq!(Failure::of(Box::new(wrapped)).retry, retry);
        }
        assert_eq!(Failure::of("of another kind".into()).retry, Retry::Backoff);
    }

    #[test]
    fn a_long_text_is_cut_and_has_no_nul() {
        let failure = Failure::of(format!("a\0b{}", "ü".repeat(LONGEST)).into());
        assert!(failure.error.starts_with("ab") && failure.error.len() <= LONGEST);
    }
}
