//! Errors that several use cases return.

use std::time::Duration;

use kernel::error::{Code, Error};

/// The codes of use cases that sign.
pub(crate) const SIGN_ERRORS: &[Code] = &[Code::LogBehind];
/// The codes of use cases that read a stored entry.
pub(crate) const ENTRY_ERRORS: &[Code] = &[Code::LogDamaged];

/// Returns the error for a project that has no seal at `index`.
pub(crate) fn no_seal(index: u64) -> Error {
    Error::not_found(format!("seal {index}"))
}

/// Returns the error for an id that no log has.
pub(crate) fn no_log() -> Error {
    Error::new(Code::NotFound, "There is no log of that id, or it has no entry yet")
}

/// Returns the error for a stored entry that is not the one that was sealed.
pub(crate) fn damaged(index: u64) -> Error {
    let detail = format!(
        "Entry {index} of the log was changed after it was sealed; \
         receipts that were handed out for it prove what it was"
    );
    Error::new(Code::LogDamaged, detail)
}

/// Returns the error for a witness that has seen more of the meta-log than the database holds.
pub(crate) fn log_behind() -> Error {
    let detail = "A witness has seen more of the vault than the database holds, or something else: an older \
                  backup was restored, or the log was changed. Nothing is signed until the operator has \
                  brought the newer data back";
    Error::new(Code::LogBehind, detail).retry_after(Duration::from_secs(60))
}

/// Returns the error for a subject's key that does not decrypt here, for the caller to report to
/// the operator.
pub(crate) fn key_unreadable() -> Error {
    let detail = "The key of the subject's personal data cannot be decrypted here; \
                  whoever runs this service must look at VAULT_KEK";
    Error::new(Code::Internal, detail)
        .because("a subject's key was changed, or wrapped under a key that VAULT_KEK does not hold")
}
