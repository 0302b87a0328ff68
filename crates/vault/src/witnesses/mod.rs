//! Witnesses of the meta-log: asking for their cosignatures, and for what they have seen of it.

mod ask;
mod cosign;
mod port;
mod rollback;
mod witnessed;

pub use cosign::{cosign, uncosigned_seconds};
pub use port::{Witness, WitnessAnswer};
pub use witnessed::{WITNESSED_ERRORS, witnessed};
