//! The limits of sending mail.

use std::time::Duration;

/// The longest time that one attempt takes.
pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
