//! The check of a receipt by Holdfast, for callers who trust it. Others check receipts themselves,
//! as the page and the clients do.

use kernel::{
    checks::{Checks, TEXT_ERRORS},
    error::{Codes, Result},
};

use crate::{
    format::receipt::{Flaw, MAX_TEXT, Receipt},
    model::Verification,
    vault::Vault,
};

/// The codes of [`verify`].
pub const VERIFY_ERRORS: Codes = &[TEXT_ERRORS];

/// Checks `text`, a receipt of one of our logs, under the keys that sign now. Looks nothing up.
///
/// # Errors
/// [`VERIFY_ERRORS`].
pub fn verify(vault: &Vault, text: &str) -> Result<Verification> {
    let mut checks = Checks::new();
    checks.text("/receipt", text, 1..=MAX_TEXT);
    checks.finish()?;
    let receipt = Receipt::parse(text);
    let origin = receipt.as_ref().ok().and_then(Receipt::origin);
    let log = origin.and_then(|origin| vault.log_called(origin));
    let index = receipt.as_ref().ok().map(|receipt| receipt.index);
    let checked = receipt.as_ref().map_err(|flaw| *flaw).and_then(|receipt| {
        let unknown = if origin.is_some() { Flaw::OtherLog } else { Flaw::MalformedCheckpoint };
        let log = log.ok_or(unknown)?;
        receipt.verify(&vault.origin(log), &vault.verifiers(log))
    });
    Ok(match checked {
        Ok(size) => {
            let detail = "The entry is in the log, in the tree that the signed checkpoint states".to_owned();
            Verification { valid: true, flaw: None, detail, log, index, size: Some(size) }
        }
        Err(flaw) => {
            let detail = flaw.to_string();
            Verification { valid: false, flaw: Some(flaw), detail, log, index, size: None }
        }
    })
}
