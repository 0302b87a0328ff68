//! The meta-log: its entries are the heads of all logs, and the keys that sign them. Witnesses watch this one log, and with it every other.
//!
//! Everybody reads it, and may read of a log only who knows its id. So a log is called there by the SHA-256 of its origin: who knows the id finds it, and nobody
//! comes from there to the id, which is a UUIDv7 with 74 random bits and a time in milliseconds, too many to try.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{Vault, Verdict, append, entry::Draft, json, ledger::Ledger, publish_store as store};
use kernel::{
    caller::Actor,
    crypto::base64,
    db::Caller,
    error::{Error, Result},
    ids::{LogId, ProjectId},
};

/// The tenant of the meta-log.
pub(super) const META: ProjectId = LogId::META.project();
/// The kind of the entries that are heads.
pub(super) const HEAD: &str = "log.head";
/// How many heads one batch publishes.
const BATCH: usize = 1_000;

/// What one batch published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// How many heads.
    pub heads: usize,
    /// Whether there are more to publish.
    pub more: bool,
}

/// Appends to the meta-log the heads that have moved since they were last there, up to 1,000, and the signing keys when they are others than before. What is
/// there already is looked up under the lock of the meta-log, and noted in the commit: of those who publish at once each head is there once, and no log goes back.
///
/// # Errors
/// Those of the guard against rollback, and of the database.
pub async fn publish(vault: &Vault) -> Result<Published> {
    let mut tx = vault.core.db.begin(Caller::Job(META)).await?;
    let mut drafts = Vec::new();
    let mut ledger = Ledger::lock(&mut tx, vault, META).await?;
    drafts.extend(changed_keys(&mut tx, vault).await?);
    store::leave_tenant(&mut tx).await?;
    let mut heads = store::moved(&mut tx, BATCH + 1).await?;
    let more = heads.len() > BATCH;
    heads.truncate(BATCH);
    store::published(&mut tx, &heads).await?;
    store::enter_tenant(&mut tx, META).await?;
    for moved in &heads {
        let log = vault.blinded(LogId::from(moved.project));
        let payload = json!({"log": log, "size": moved.size, "root": base64(&moved.root)});
        drafts.push(own(HEAD, Some(log), &payload)?);
    }
    if drafts.is_empty() {
        tx.commit().await?;
        return Ok(Published { heads: 0, more: false });
    }
    for draft in &drafts {
        ledger.push(draft)?;
    }
    let written = ledger.write(&mut tx).await?;
    append::commit(vault, tx, &written).await?;
    Ok(Published { heads: heads.len(), more })
}

/// The keys that sign the meta-log, if they are others than those sealed last: so a rotation is on record, in the tree that the old key still signs.
async fn changed_keys(tx: &mut PgConnection, vault: &Vault) -> Result<Option<Draft>> {
    let keys = json!({ "keys": vault.verifiers(LogId::META) });
    let last = store::newest_of_kind(tx, META, "log.keys").await?;
    let last: Option<Value> = last.map(|entry| serde_json::from_slice(&entry)).transpose().map_err(Error::internal)?;
    if last.is_some_and(|last| last["payload"] == keys) { Ok(None) } else { own("log.keys", None, &keys).map(Some) }
}

fn own(kind: &str, subject: Option<String>, payload: &Value) -> Result<Draft> {
    Draft::own(Actor::System, kind, Verdict::Seal, (None, subject), &json::canonical(payload)?)
}
