//! The port through which a delivery reaches its recipient's endpoint.

use std::fmt;

use bytes::Bytes;
use futures::future::BoxFuture;
use kernel::{clock::Timestamp, effect::Effect, ids::DeliveryId};
use url::Url;

/// One attempt to push a delivery to its recipient's endpoint.
#[derive(Debug, Clone)]
pub struct PushRequest {
    /// Becomes `webhook-id`: the same for every attempt, so that the recipient can tell a repeat.
    pub delivery: DeliveryId,
    /// Becomes `webhook-timestamp`.
    pub at: Timestamp,
    /// The endpoint; `http` or `https`.
    pub endpoint: Url,
    /// The JSON document, the same bytes that are signed.
    pub body: Bytes,
    /// W3C `traceparent` of the request that caused it.
    pub traceparent: Option<String>,
}

/// Sends a delivery to the endpoint of its recipient. An effect: called only from a job.
pub trait Push: Send + Sync + fmt::Debug {
    /// Makes one attempt, bounded by its own timeout. A failure's detail is fit for the sender and
    /// the recipient to read.
    fn push(&self, request: PushRequest) -> BoxFuture<'_, Effect>;
}
