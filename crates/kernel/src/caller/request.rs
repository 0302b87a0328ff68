//! The parts of a request beside its body: those that tie work to it, and those that must happen
//! once.

use std::sync::Arc;

use crate::{crypto::sha256, signature::Proof};

/// The parts of a request that tie work to it. They travel inside every caller, so that no use case
/// can drop the signature's nonce or the `Idempotency-Key`: the unit of work consumes them.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The `x-request-id`.
    pub id: String,
    /// The W3C `traceparent` that jobs and outgoing calls carry on.
    pub traceparent: Option<String>,
    /// The client's address, as far as it is known.
    pub address: Option<String>,
    /// The client's name for itself, cut to a bounded length.
    pub user_agent: Option<String>,
    /// The agent's signature over the request, verified but not yet consumed.
    pub proof: Option<Arc<Proof>>,
    /// The request's `Idempotency-Key`.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// No request: Holdfast itself is at work.
pub(super) static NO_REQUEST: RequestContext = RequestContext {
    id: String::new(),
    traceparent: None,
    address: None,
    user_agent: None,
    proof: None,
    idempotency_key: None,
};

impl RequestContext {
    /// Returns the context of a job's work, which joins the trace of the request that caused the
    /// job.
    pub fn of_job(traceparent: Option<String>) -> Self {
        Self { traceparent, ..Self::default() }
    }
}

/// An `Idempotency-Key`, and a fingerprint of the request that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The header's value.
    pub key: String,
    /// SHA-256 over the parts in which a repeated request must agree.
    pub fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// Describes a request by `parts`: requests with the same key and other parts are different
    /// requests.
    pub fn new(key: impl Into<String>, parts: &[&[u8]]) -> Self {
        Self { key: key.into(), fingerprint: sha256(&parts.join(b"\n".as_slice())) }
    }
}
