//! Erasing a subject: key, salts and ciphertexts are deleted, and the erasure is sealed, in one
//! commit. Every receipt verifies as before.

use kernel::{
    answer::Answer,
    audit::Change,
    caller::{Authorized, allow},
    error::{Code, Codes, Error, Result},
};
use serde_json::json;

use crate::{
    draft::{Draft, OwnSeal},
    errors::SIGN_ERRORS,
    format::json::canonical,
    ledger::Ledger,
    model::{SUBJECT_ERASED, Sealed, Verdict},
    store,
    vault::Vault,
};

/// The codes of [`erase`].
pub const ERASE_ERRORS: Codes = &[SIGN_ERRORS, &[Code::NotFound]];

/// Erases the personal data of `subject`.
///
/// # Errors
/// [`ERASE_ERRORS`]; `Overloaded` when too many wait for the log.
pub async fn erase(
    vault: &Vault,
    by: &Authorized<allow::VaultErase>,
    subject: &str,
) -> Result<Answer<Sealed>> {
    let nothing = || Error::not_found("subject of that name with personal data in the vault");
    if subject.contains('\0') {
        return Err(nothing());
    }
    Ledger::run_once(vault, by, async |ledger| {
        // Under the lock: a seal about the subject is either erased here, or made after, under a
        // key of its own.
        let seals = store::personal::erase(ledger.unit(), subject).await?.ok_or_else(nothing)?;
        let seal = OwnSeal {
            actor: by.actor,
            kind: SUBJECT_ERASED,
            verdict: Verdict::Seal,
            session_id: None,
            subject: Some(subject.to_owned()),
        };
        ledger.unit().audit(SUBJECT_ERASED, subject, Change::NONE);
        ledger.push(Draft::own(seal, &canonical(&json!({"seals": seals}))?)?)
    })
    .await
}
