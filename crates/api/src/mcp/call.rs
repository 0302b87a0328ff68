//! A call, as a tool receives it.

use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{
    Error, Result,
    answer::Answer,
    caller::{Allows, Authorized, Principal},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};
use tracing::Span;

use crate::extract;

/// The caller and their arguments, as proved before rmcp saw the request.
#[derive(Debug)]
pub(super) struct Call {
    principal: Principal,
    /// The arguments of the tool, as they came.
    arguments: Option<Box<RawValue>>,
    /// True if the answer was given before.
    replayed: AtomicBool,
    /// The request's span: rmcp calls tools in a task of their own.
    pub(super) span: Span,
}

impl Call {
    /// Creates the call of the current request.
    pub(super) fn new(principal: Principal, arguments: Option<Box<RawValue>>) -> Self {
        Self { principal, arguments, replayed: AtomicBool::new(false), span: Span::current() }
    }

    /// Returns the identifier of the request.
    pub(super) fn request_id(&self) -> &str {
        &self.principal.request.id
    }

    /// Reads the arguments.
    ///
    /// # Errors
    /// Fails as [`extract::read`] does.
    pub(super) fn arguments<T: DeserializeOwned>(&self) -> Result<T> {
        let text = self.arguments.as_deref().map_or("{}", RawValue::get);
        extract::read("`arguments`", text.as_bytes())
    }

    /// Returns the caller, who has permission `P`.
    ///
    /// # Errors
    /// [`Code::PermissionMissing`](kernel::Code::PermissionMissing).
    pub(super) fn caller<P: Allows>(&self) -> Result<Authorized<P>> {
        Authorized::check(self.principal.clone())
    }

    /// Returns the body of an answer, and notes whether it was given before.
    ///
    /// # Errors
    /// `Internal` when the body is not JSON.
    pub(super) fn answer<T>(&self, answer: &Answer<T>) -> Result<Value> {
        self.replayed.store(answer.is_replayed(), Ordering::Relaxed);
        serde_json::from_slice(answer.body()).map_err(Error::internal)
    }

    /// Returns whether the answer was given before.
    pub(super) fn is_replayed(&self) -> bool {
        self.replayed.load(Ordering::Relaxed)
    }
}
