//! Panics of handlers, as errors.

use std::any::Any;

/// A panic of a handler.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked: {0}")]
pub(super) struct Panic(String);

impl Panic {
    /// Reads the payload of a panic.
    pub(super) fn new(payload: &Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(
            text.or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no message".to_owned()),
        )
    }
}
