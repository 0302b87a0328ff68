//! The way of settlements from the layer that learns them to the task that writes them.

use std::sync::Arc;

use kernel::queue::{Claim, Settlement};
use tokio::sync::mpsc;

use super::claims::Claims;

/// Settlements that may wait for the one being written. Jobs that end while it is full keep their
/// slot until there is room.
const ROOM: usize = 1024;

/// The end that takes settlements.
#[derive(Debug, Clone)]
pub(crate) struct Settlements {
    pub(super) claims: Arc<Claims>,
    queue: mpsc::Sender<(Claim, Settlement)>,
}

/// Returns the two ends.
pub(crate) fn channel(claims: Arc<Claims>) -> (Settlements, mpsc::Receiver<(Claim, Settlement)>) {
    let (queue, receiver) = mpsc::channel(ROOM);
    (Settlements { claims, queue }, receiver)
}

impl Settlements {
    /// Sends one on, once there is room. A claim counts as settling only from when its settlement
    /// cannot be lost in this process any more.
    pub(crate) async fn send(&self, claim: Claim, settlement: Settlement) {
        if let Ok(permit) = self.queue.reserve().await {
            self.claims.settling(claim);
            permit.send((claim, settlement));
        }
    }
}
