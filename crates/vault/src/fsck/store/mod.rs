//! The SQL of checking a log. Everything is read as it is: nothing here trusts a constraint.

pub(super) mod lists;
pub(super) mod log;
pub(super) mod progress;
