//! Payloads of the jobs that deliver intents.

use serde::{Deserialize, Serialize};

use kernel::{
    ids::{DeliveryId, ProjectId},
    queue::{Job, Queue},
};

/// Bring a delivery to its recipient.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliverIntent {
    /// Whose delivery it is.
    pub project: ProjectId,
    /// The delivery.
    pub delivery: DeliveryId,
}

impl Job for DeliverIntent {
    const KIND: &'static str = "intents.deliver";
    const QUEUE: Queue = Queue::Effects;
}
