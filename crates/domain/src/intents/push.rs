//! The port through which a delivery reaches its recipient's endpoint.

use std::fmt;

use futures::future::BoxFuture;
use kernel::ids::DeliveryId;

/// One attempt to hand a delivery to its recipient's endpoint.
#[derive(Debug, Clone)]
pub struct PushRequest {
    /// Becomes `webhook-id`: the same for every attempt, so that the recipient can tell a repeat.
    pub delivery: DeliveryId,
    /// Becomes `webhook-timestamp`.
    pub at: kernel::clock::Timestamp,
    /// Where to; `http` or `https`.
    pub endpoint: url::Url,
    /// The JSON document, the same bytes that are signed.
    pub body: bytes::Bytes,
    /// W3C `traceparent` of the request that caused it.
    pub traceparent: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// The endpoint answered 2xx: it has the delivery.
    Delivered,
    /// It did not; what happened, in words fit for the sender and the recipient to read.
    Failed(String),
}

/// Sends a delivery to the endpoint of its recipient. An effect: called only from a job.
pub trait Push: Send + Sync + fmt::Debug {
    /// One attempt, bounded by its own timeout.
    fn push(&self, request: PushRequest) -> BoxFuture<'_, PushOutcome>;
}
