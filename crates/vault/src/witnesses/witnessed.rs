//! Proof that witnesses have seen a project's log. They do not know the log itself: they cosign the
//! meta-log, which holds its head. So it takes two steps: the head is in a tree of the meta-log
//! that they cosigned, and the log as it is now continues that head.

use kernel::{
    DbScope,
    caller::{Authorized, Caller, allow},
    error::{Code, Codes, Error, Result},
    ids::LogId,
};
use sqlx::PgConnection;

use crate::{
    errors::SIGN_ERRORS,
    format::{
        receipt::Receipt,
        tree::{inclusion_nodes, prove_inclusion},
    },
    model::{Entry, LOG_HEAD, META, PublishedHead, Witnessed},
    prove::{consistency, read_nodes},
    store::{self, meta_log},
    vault::Vault,
};

/// The codes of [`witnessed`].
pub const WITNESSED_ERRORS: Codes = &[SIGN_ERRORS, &[Code::NotFound]];

/// Returns the newest head of the project's log that is in a tree of the meta-log which a present
/// witness has cosigned.
///
/// # Errors
/// [`WITNESSED_ERRORS`].
pub async fn witnessed(vault: &Vault, by: &Authorized<allow::VaultRead>) -> Result<Witnessed> {
    // A log that is behind would say that no witness has seen it.
    vault.require_signing()?;
    let log = LogId::from(by.project);
    let name = vault.blinded(log);
    let system = Caller::system(DbScope::Project(META));
    let seen = vault.core.read(system, async |tx| seen(tx, vault, &name).await).await?;
    let Seen { entry, receipt } = seen.ok_or_else(|| none(vault))?;
    let head: PublishedHead = serde_json::from_str(entry.payload.get()).map_err(Error::internal)?;
    let consistency = consistency(vault, by, head.size, None).await?;
    let PublishedHead { size, root } = head;
    Ok(Witnessed { log, name, size, root, at: entry.at, receipt, consistency })
}

/// An entry of the meta-log that witnesses have seen.
struct Seen {
    entry: Entry,
    receipt: String,
}

/// Finds the newest entry about the log of that name in the newest cosigned tree.
async fn seen(tx: &mut PgConnection, vault: &Vault, name: &str) -> Result<Option<Seen>> {
    let signers: Vec<String> = vault.witnesses.iter().map(|(key, _)| key.signer()).collect();
    let Some(size) = store::cosignatures::newest_size(tx, META, &signers).await? else { return Ok(None) };
    let Some(bytes) = meta_log::newest_about(tx, META, LOG_HEAD, name, size).await? else { return Ok(None) };
    let entry: Entry = serde_json::from_slice(&bytes).map_err(Error::internal)?;
    let head = store::heads::at_size(tx, META, size).await?;
    let beyond = || Error::internal("an entry lies beyond the tree");
    let wanted = inclusion_nodes(size, entry.index).ok_or_else(beyond)?;
    let nodes = read_nodes(tx, META, size, wanted).await?;
    let cosigned = store::cosignatures::lines(tx, META, size).await?;
    let checkpoint = vault.sign_with(LogId::META, size, head.root, &cosigned)?;
    let proof = prove_inclusion(size, entry.index, &nodes)?;
    let receipt = Receipt { entry: Some(bytes), index: entry.index, proof, checkpoint };
    Ok(Some(Seen { entry, receipt: receipt.to_text() }))
}

fn none(vault: &Vault) -> Error {
    let detail = if vault.witnesses.is_empty() {
        "No witnesses watch this deployment: its operator names them in VAULT_WITNESSES"
    } else {
        "No witness has seen this log yet: its head is published and cosigned within about two minutes of \
         its first entry, while a witness answers"
    };
    Error::new(Code::NotFound, detail)
}
