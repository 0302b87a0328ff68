//! The largest bodies of the vault's routes, in bytes.

/// A seal: payload and personal data, and room for what surrounds them.
pub(super) const SEAL_BODY: usize = 160 * 1024;
/// A batch: a thousand small seals, or fewer large ones.
pub(super) const BATCH_BODY: usize = 8 * 1024 * 1024;
/// A receipt, as JSON text.
pub(super) const RECEIPT_BODY: usize = 512 * 1024;
