//! Checking a receipt for somebody who asks us to. Who trusts nobody does it themselves, as the page and the clients do.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Vault,
    receipt::{Flaw, MAX_TEXT, Receipt},
};
use kernel::{checks::Checks, error::Result, ids::LogId};

/// What came of checking a receipt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Verification {
    /// Whether everything is right.
    pub valid: bool,
    /// The first thing that is wrong; null when nothing is.
    #[schema(required = true)]
    pub flaw: Option<Flaw>,
    /// The same, in a sentence.
    #[schema(max_length = 400)]
    pub detail: String,
    /// The log that the receipt is of, where it is one of ours.
    #[schema(required = true)]
    pub log: Option<LogId>,
    /// The entry's place in it, as the receipt has it.
    #[schema(required = true, minimum = 0)]
    pub index: Option<u64>,
    /// The size of the checkpoint's tree; null when something is wrong.
    #[schema(required = true, minimum = 1)]
    pub size: Option<u64>,
}

/// Checks `text`, a receipt of one of our logs, under the keys that sign now. Nothing is looked up.
///
/// # Errors
/// A text that is empty, too long to be a receipt, or holds NUL.
pub fn verify(vault: &Vault, text: &str) -> Result<Verification> {
    let mut checks = Checks::new();
    checks.text("/receipt", text, 1..=MAX_TEXT);
    checks.finish()?;
    let receipt = Receipt::parse(text);
    let origin = receipt.as_ref().ok().and_then(Receipt::origin);
    let log = origin.and_then(|origin| vault.log_called(origin));
    let index = receipt.as_ref().ok().map(|receipt| receipt.index);
    let checked = receipt.as_ref().map_err(|flaw| *flaw).and_then(|receipt| {
        let log = log.ok_or(if origin.is_some() { Flaw::OtherLog } else { Flaw::MalformedCheckpoint })?;
        receipt.verify(&vault.origin(log), &vault.verifiers(log))
    });
    Ok(match checked {
        Ok(size) => {
            let detail = "The entry is in the log, in the tree that the signed checkpoint is of".to_owned();
            Verification { valid: true, flaw: None, detail, log, index, size: Some(size) }
        }
        Err(flaw) => Verification { valid: false, flaw: Some(flaw), detail: flaw.to_string(), log, index, size: None },
    })
}
