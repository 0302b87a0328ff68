//! The meta-log: its entries are the heads of all logs, and the keys that sign them. Witnesses watch this one log, and with it every other.
//!
//! Everybody reads it, and may read of a log only who knows its id. So a log is called there by the SHA-256 of its origin: who knows the id finds it, and nobody
//! comes from there to the id, which is a UUIDv7 with 74 random bits and a time in milliseconds, too many to try.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    Vault, Verdict, append, cosignature,
    entry::Draft,
    head, json,
    ledger::Ledger,
    prove, publish_store as store,
    tree::{consistency_nodes, prove_consistency},
};
use crate::{
    crypto::base64,
    db::Caller,
    error::{Error, Result},
    identity::Actor,
    ids::{LogId, ProjectId},
    ports::{Witness, WitnessRefused},
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
    Draft::own(Actor::System, kind, Verdict::Seal, (None, subject), &json::canonical(payload))
}

/// Has the meta-log's head cosigned by a witness, and keeps its cosignature. A witness that is away, or will not, is for the log of the operator and the next
/// run. Returns whether it cosigned.
///
/// # Errors
/// Those of the database.
pub async fn cosign(vault: &Vault, witness: &Arc<dyn Witness>) -> Result<bool> {
    let mut tx = vault.core.db.begin(Caller::Project(META)).await?;
    let head = head::newest(&mut tx, META).await?;
    tx.commit().await?;
    let Some(head) = head else { return Ok(false) };
    let name = witness.key().name();
    let whose = format!("{name}+{:08x}", witness.key().id());
    let mut tx = vault.core.db.begin(Caller::Worker).await?;
    let last = store::last_cosigned(&mut tx, META, &whose).await?;
    tx.commit().await?;
    if last == Some(head.size) {
        return Ok(true);
    }
    let note = vault.sign(LogId::META, head.size, head.root)?;
    let mut from = last.unwrap_or(0);
    // What we know of it may be old: then it says what it knows, once.
    for _ in 0..2 {
        let proof = consistency(vault, from, head.size).await?;
        match witness.add_checkpoint(from, &proof, &note).await {
            Ok(lines) => {
                let body = cosignature::body(&note).unwrap_or_default();
                let found = witness.key().find(body, lines.iter().map(String::as_str));
                let Ok(line) = found.inspect_err(|error| tracing::error!(witness = name, %error, "a witness answered with no cosignature of its own")) else {
                    return Ok(false);
                };
                let mut tx = vault.core.db.begin(Caller::Worker).await?;
                store::insert_cosignature(&mut tx, META, head.size, &whose, line.line(), vault.core.clock.now())
                    .await?;
                tx.commit().await?;
                return Ok(true);
            }
            Err(WitnessRefused::Behind { size }) if size <= head.size && size != from => from = size,
            Err(refused) => {
                tracing::warn!(witness = name, %refused, size = head.size, "a witness did not cosign the vault's meta-log");
                return Ok(false);
            }
        }
    }
    Ok(false)
}

async fn consistency(vault: &Vault, from: u64, to: u64) -> Result<Vec<super::Hash>> {
    if from == 0 || from == to {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<_> = consistency_nodes(from, to).unwrap_or_default().into_iter().collect();
    let mut tx = vault.core.db.begin(Caller::Project(META)).await?;
    let nodes = prove::nodes(&mut tx, META, to, wanted).await?;
    tx.commit().await?;
    prove_consistency(from, to, &nodes)
}
