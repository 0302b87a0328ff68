//! Payloads of the jobs that deliver intents.

use kernel::{
    ids::{DeliveryId, ProjectId},
    queue::{Job, Queue},
};
use serde::{Deserialize, Serialize};

/// Brings a delivery to its recipient.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliverIntent {
    /// The project that it belongs to.
    pub project: ProjectId,
    /// The delivery.
    pub delivery: DeliveryId,
}

impl Job for DeliverIntent {
    const KIND: &'static str = "intents.deliver";
    const QUEUE: Queue = Queue::Effects;
}
