//! Receipts of seals.

use kernel::{
    caller::{Authorized, allow},
    error::{Code, Codes, Result},
    ids::LogId,
};
use tlog_tiles::{check_record, record_hash};

use super::nodes::read_nodes;
use crate::{
    errors::{ENTRY_ERRORS, SIGN_ERRORS, damaged, no_seal},
    format::{
        receipt::Receipt,
        tree::{inclusion_nodes, prove_inclusion},
    },
    store,
    vault::Vault,
};

/// The codes of [`receipt`].
pub const RECEIPT_ERRORS: Codes = &[SIGN_ERRORS, ENTRY_ERRORS, &[Code::NotFound]];

/// Returns the receipt of the seal at `index`: its entry, the proof that it is in the newest tree,
/// and that tree's signed checkpoint.
///
/// # Errors
/// [`RECEIPT_ERRORS`]: `LogDamaged` when it would not verify.
pub async fn receipt(vault: &Vault, by: &Authorized<allow::VaultRead>, index: u64) -> Result<String> {
    let read = vault.core.read(by, async |tx| {
        let head = store::heads::newest(tx, by.project).await?;
        let head = head.filter(|head| index < head.size).ok_or_else(|| no_seal(index))?;
        let entry = store::seals::entry(tx, by.project, index).await?.ok_or_else(|| no_seal(index))?;
        let wanted = inclusion_nodes(head.size, index).ok_or_else(|| no_seal(index))?;
        let nodes = read_nodes(tx, by.project, head.size, wanted).await?;
        Ok((head, entry, nodes))
    });
    let (head, entry, nodes) = read.await?;
    let proof = prove_inclusion(head.size, index, &nodes)?;
    // Never returns a receipt that does not verify.
    check_record(&proof, head.size, head.root, index, record_hash(&entry))
        .map_err(|why| damaged(index).because(format!("{why:?}")))?;
    let checkpoint = vault.sign(LogId::from(by.project), head.size, head.root)?;
    Ok(Receipt { entry: Some(entry), index, proof, checkpoint }.to_text())
}
