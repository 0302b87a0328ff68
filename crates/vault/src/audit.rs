//! The audit log in the vault: each project's events are digested and sealed in its log, so that one which is changed, removed or slipped in later shows.
//!
//! The digest is SHA-256 over the events in the order of their identifiers, each as the export has it, in canonical JSON (RFC 8785), and a line feed after each.
//! docs/vault.md says how to make it anew from an export.

use chrono::TimeDelta;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::{Verdict, audit_store as store, jobs::DigestAudit, json, outbox};
use kernel::{
    Core, audit,
    crypto::hex,
    db::Caller,
    error::{Error, Result},
    ids::{AuditId, ProjectId},
    queue::Enqueue,
};

/// The kind of its seals.
pub(super) const KIND: &str = "audit.digested";
/// How old an event is when it is digested. Identifiers are made before their transaction commits: an event that commits later than this would be found as one that
/// was slipped in. No transaction of a request or a job takes half as long.
const SETTLED: TimeDelta = TimeDelta::minutes(5);
/// How many events one seal is of.
const EVENTS: i64 = 10_000;
/// How many seals one run makes; the next goes on.
const SEALS: u32 = 50;
/// How many projects one look finds, those first that have waited longest.
const PROJECTS: i64 = 10_000;

/// What is sealed of a stretch of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuditDigest {
    /// The last event of the stretch before; none in the first.
    pub(super) after: Option<AuditId>,
    /// How many there are.
    pub(super) events: u64,
    /// In hexadecimal.
    sha256: String,
    /// The last of them.
    pub(super) through: AuditId,
}

/// The digest of the project's events after `after`, up to `through`, and of no more than `limit`; nothing when there are none.
///
/// # Errors
/// Those of the database.
pub(super) async fn digest(
    tx: &mut PgConnection,
    project: ProjectId,
    after: Option<AuditId>,
    through: AuditId,
    limit: i64,
) -> Result<Option<AuditDigest>> {
    let mut hash = Sha256::new();
    let (mut events, mut last) = (0, None);
    let mut rows = audit::of_project(tx, project, (after, through), limit);
    while let Some(event) = rows.try_next().await? {
        hash.update(json::canonical(&serde_json::to_value(&event).map_err(Error::internal)?)?);
        hash.update(b"\n");
        events += 1;
        last = Some(event.id);
    }
    let sha256 = hex(&hash.finalize());
    Ok(last.map(|through| AuditDigest { after, events, sha256, through }))
}

/// Enqueues a [`DigestAudit`] for every project that has events to digest.
///
/// # Errors
/// Those of the database.
pub async fn digest_all(core: &Core) -> Result<()> {
    let mut tx = core.db.begin(Caller::Worker).await?;
    let projects = store::undigested(&mut tx, settled(core), PROJECTS).await?;
    let jobs: Vec<DigestAudit> = projects.into_iter().map(|project| DigestAudit { project }).collect();
    Enqueue::at(core.clock.now()).all(&mut tx, &jobs).await?;
    Ok(tx.commit().await?)
}

/// Digests what the project's audit log has gained, and leaves the seals in the outbox. Of two that do it at once, one does it.
///
/// # Errors
/// Those of the database.
pub async fn digest_project(core: &Core, project: ProjectId) -> Result<()> {
    let through = settled(core);
    for _ in 0..SEALS {
        let mut tx = core.db.begin(Caller::Job(project)).await?;
        let after = store::digested_through(&mut tx, project).await?;
        let Some(digest) = digest(&mut tx, project, after, through, EVENTS).await? else { return Ok(()) };
        if !store::advance(&mut tx, project, after, digest.through).await? {
            return Ok(());
        }
        outbox::put(&mut tx, core, project, KIND, Verdict::Seal, None, &json!(digest)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The newest identifier that an event could have which is settled by now.
fn settled(core: &Core) -> AuditId {
    audit::first_id_at(core.clock.now() - SETTLED)
}
