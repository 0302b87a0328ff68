//! The meta-log: its entries are the heads of all logs, and the keys that sign them. Witnesses
//! watch this one log, and with it every other.
//!
//! The meta-log is public, and the id of a log gives the right to read it. So the meta-log names a
//! log by SHA-256 of its origin. The name can be computed from the id, and not the id from the
//! name: an id is a UUIDv7 with 74 random bits and a time in milliseconds, too many to try.

use std::borrow::Cow;

use kernel::{
    DbScope,
    caller::{Actor, Caller},
    crypto::base64,
    error::{Error, Result},
    ids::LogId,
};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    draft::{Draft, OwnSeal},
    format::json::canonical,
    ledger::Ledger,
    model::{LOG_HEAD, LOG_KEYS, META, UnpublishedHead, Verdict},
    store::meta_log,
    vault::Vault,
};

/// The most heads that one batch publishes.
const BATCH: usize = 1_000;

/// The result of publishing one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The number of heads.
    pub heads: usize,
    /// True when there are more to publish.
    pub more: bool,
}

/// Appends to the meta-log the heads that have moved since they were last published, up to 1,000,
/// and the signing keys when they differ from the last ones. The published heads are read under the
/// lock of the meta-log, and recorded in the same commit: concurrent calls publish each head once,
/// and no log goes back.
///
/// # Errors
/// [`Code::LogBehind`](kernel::Code::LogBehind);
/// [`Code::Overloaded`](kernel::Code::Overloaded) when too many wait for the log.
pub async fn publish(vault: &Vault) -> Result<Published> {
    Ledger::run(vault, Caller::system(DbScope::Job(META)), async |ledger| {
        let keys = changed_keys(ledger.unit(), vault).await?;
        meta_log::leave_tenant(ledger.unit()).await?;
        let mut heads = meta_log::unpublished(ledger.unit(), BATCH + 1).await?;
        let more = heads.len() > BATCH;
        heads.truncate(BATCH);
        meta_log::note_published(ledger.unit(), &heads).await?;
        meta_log::enter_tenant(ledger.unit(), META).await?;
        let drafts = heads.iter().map(|head| published(vault, head)).collect::<Result<Vec<_>>>()?;
        let request = ledger.unit().caller().request;
        ledger.push_all(keys.into_iter().chain(drafts).map(Cow::Owned), request)?;
        Ok(Published { heads: heads.len(), more })
    })
    .await
}

/// Returns the seal over the keys that sign the meta-log, if they differ from those sealed last:
/// this records a rotation in the tree that the old key still signs.
async fn changed_keys(tx: &mut PgConnection, vault: &Vault) -> Result<Option<Draft>> {
    let keys = json!({ "keys": vault.verifiers(LogId::META) });
    let last = meta_log::newest_of_kind(tx, META, LOG_KEYS).await?;
    let last: Option<Value> =
        last.map(|entry| serde_json::from_slice(&entry)).transpose().map_err(Error::internal)?;
    if last.is_some_and(|last| last["payload"] == keys) {
        return Ok(None);
    }
    own(LOG_KEYS, None, &keys).map(Some)
}

fn published(vault: &Vault, head: &UnpublishedHead) -> Result<Draft> {
    let log = vault.blinded(LogId::from(head.project));
    let payload = json!({"log": log, "size": head.size, "root": base64(&head.root)});
    own(LOG_HEAD, Some(log), &payload)
}

fn own(kind: &str, subject: Option<String>, payload: &Value) -> Result<Draft> {
    let actor = Actor::System;
    let seal = OwnSeal { actor, kind, verdict: Verdict::Seal, session_id: None, subject };
    Draft::own(seal, &canonical(payload)?)
}
