//! The channel from the layer that learns settlements to the task that writes them.

use std::sync::Arc;

use kernel::queue::{Claim, Settlement};
use tokio::sync::mpsc;

use super::claims::Claims;

/// The most settlements that may wait to be written. Jobs that end while the channel is full keep
/// their slot until there is room.
const ROOM: usize = 1024;

/// The sending end of the channel.
#[derive(Debug, Clone)]
pub(crate) struct Settlements {
    pub(super) claims: Arc<Claims>,
    queue: mpsc::Sender<(Claim, Settlement)>,
}

/// Creates the channel.
pub(crate) fn channel(claims: Arc<Claims>) -> (Settlements, mpsc::Receiver<(Claim, Settlement)>) {
    let (queue, receiver) = mpsc::channel(ROOM);
    (Settlements { claims, queue }, receiver)
}

impl Settlements {
    /// Sends a settlement once there is room. Only from then on does the claim count as settling.
    pub(crate) async fn send(&self, claim: Claim, settlement: Settlement) {
        if let Ok(permit) = self.queue.reserve().await {
            self.claims.settling(claim);
            permit.send((claim, settlement));
        }
    }
}
