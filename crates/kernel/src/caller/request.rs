//! What a request brings beside its body: what ties work to it, and what must happen once.

use std::sync::Arc;

use crate::{crypto::sha256, signature::Proof};

/// What ties work to the request that caused it. It travels inside every caller, so that no use
/// case can drop the signature's nonce or the `Idempotency-Key`: the unit of work consumes them.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The `x-request-id`.
    pub id: String,
    /// The W3C `traceparent` that jobs and outgoing calls carry on.
    pub traceparent: Option<String>,
    /// The client's address, as far as it is known.
    pub address: Option<String>,
    /// What the client says it is, cut to a bearable length.
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
    /// Returns the context of a job's work: whatever it causes joins the trace of what caused the
    /// job.
    pub fn of_job(traceparent: Option<String>) -> Self {
        Self { traceparent, ..Self::default() }
    }
}

/// An `Idempotency-Key` and what the request it came with asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The header's value.
    pub key: String,
    /// SHA-256 over what makes a request the same.
    pub fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// Describes a request by `parts`: two requests with the same key and other parts are different
    /// requests.
    pub fn new(key: impl Into<String>, parts: &[&[u8]]) -> Self {
        Self { key: key.into(), fingerprint: sha256(&parts.join(b"\n".as_slice())) }
    }
}
