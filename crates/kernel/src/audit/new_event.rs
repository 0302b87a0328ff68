//! An event that a unit of work has collected.

use super::Change;
use crate::{caller::By, clock::Timestamp, ids::AuditId};

/// Something that was done in this transaction.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub(crate) id: AuditId,
    pub(crate) at: Timestamp,
    pub(crate) by: By,
    pub(crate) action: &'static str,
    pub(crate) subject: String,
    pub(crate) change: Change,
}
