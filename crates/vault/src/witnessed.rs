//! What witnesses have seen of a project's log. They do not know the log itself: they cosign the meta-log, in which is its head. So it takes two steps: the head is in
//! a tree of the meta-log that they cosigned, and the log as it now is continues that head.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{
    Consistency, Vault, head,
    list::Entry,
    prove,
    publish::{HEAD, META},
    publish_store as store, read_store,
    receipt::Receipt,
    tree::{inclusion_nodes, prove_inclusion},
};
use kernel::{
    caller::{Permission, Principal},
    db::Caller,
    error::{Code, Error, Result},
    ids::LogId,
};

/// The newest head of a log that witnesses have seen.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Witnessed {
    /// The log.
    pub log: LogId,
    /// What the meta-log calls it: SHA-256 over its origin, in hexadecimal. The same as `payload.log` of the entry in the receipt.
    #[schema(max_length = 64)]
    pub name: String,
    /// How many entries the log had; `payload.size` of that entry.
    #[schema(minimum = 1)]
    pub size: u64,
    /// The root of its tree then, in base64; `payload.root` of that entry.
    #[schema(max_length = 44)]
    pub root: String,
    /// When that was published in the meta-log.
    pub at: DateTime<Utc>,
    /// The receipt of that entry (C2SP tlog-proof): it is in the meta-log, whose checkpoint here has the witnesses' cosignatures beside our signature.
    #[schema(max_length = 262_144)]
    pub receipt: String,
    /// That the log as it now is begins with what they saw.
    pub consistency: Consistency,
}

/// What of a head's payload is told.
#[derive(Deserialize)]
struct Published {
    size: u64,
    root: String,
}

/// The newest head of the project's log that is in a tree of the meta-log which a witness has cosigned, one of those that are asked now.
///
/// # Errors
/// [`Code::NotFound`] when there is none yet; [`Code::PermissionMissing`]; those of the guard against rollback, and of the database.
pub async fn witnessed(vault: &Vault, by: &Principal) -> Result<Witnessed> {
    by.require(Permission::VaultRead)?;
    let log = LogId::from(by.project);
    let name = vault.blinded(log);
    let mut tx = vault.core.db.begin(Caller::Project(META)).await?;
    let (entry, receipt) = seen(&mut tx, vault, &name).await?.ok_or_else(|| none(vault))?;
    tx.commit().await?;
    let published: Published = serde_json::from_str(entry.payload.get()).map_err(Error::internal)?;
    let consistency = prove::consistency(vault, by, published.size, None).await?;
    let Published { size, root } = published;
    Ok(Witnessed { log, name, size, root, at: entry.at, receipt, consistency })
}

/// The newest entry on the log of that name which the newest cosigned tree has, and its receipt in that tree.
async fn seen(tx: &mut PgConnection, vault: &Vault, name: &str) -> Result<Option<(Entry, String)>> {
    let signers: Vec<String> = vault.witnesses.iter().map(|(key, _)| key.signer()).collect();
    let Some(size) = store::newest_cosigned(tx, META, &signers).await? else { return Ok(None) };
    let Some(bytes) = store::newest_about(tx, META, HEAD, name, size).await? else { return Ok(None) };
    let entry: Entry = serde_json::from_slice(&bytes).map_err(Error::internal)?;
    let head = head::at(tx, META, size).await?;
    let wanted = inclusion_nodes(size, entry.index).ok_or_else(|| Error::internal("an entry beyond the tree"))?;
    let nodes = prove::nodes(tx, META, size, wanted).await?;
    let cosigned = read_store::cosignatures(tx, META, size).await?;
    let checkpoint = vault.sign_with(LogId::META, size, head.root, &cosigned)?;
    let proof = prove_inclusion(size, entry.index, &nodes)?;
    let receipt = Receipt { entry: Some(bytes), index: entry.index, proof, checkpoint };
    Ok(Some((entry, receipt.to_text())))
}

fn none(vault: &Vault) -> Error {
    let detail = if vault.witnesses.is_empty() {
        "No witnesses watch this deployment: its operator names them in VAULT_WITNESSES"
    } else {
        "No witness has seen this log yet: its head is published and cosigned within about two minutes of its first entry, while a witness answers"
    };
    Error::new(Code::NotFound, detail)
}
