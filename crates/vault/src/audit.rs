//! The audit log in the vault: each project's events are digested and the digests sealed in its
//! log, so that a later change of the audit log shows.
//!
//! The digest is SHA-256 over the events in the order of their identifiers, each as the export
//! shows it, in canonical JSON (RFC 8785), and a line feed after each. docs/vault.md says how to
//! compute it from an export.

use chrono::TimeDelta;
use futures::TryStreamExt;
use kernel::{
    Core, DbScope, audit,
    caller::{Caller, RequestContext},
    crypto::hex,
    error::{Error, Result},
    ids::{AuditId, ProjectId},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::{
    format::json::canonical,
    jobs::DigestAudit,
    model::{AuditDigest, Verdict},
    outbox::{self, OutboxSeal},
    store,
};

/// The age at which events are digested. Identifiers are made before their transaction commits: an
/// event that commits later than this would look as if it had been slipped in. No transaction of a
/// request or a job takes half as long.
const SETTLED_AGE: TimeDelta = TimeDelta::minutes(5);
/// The most events that one seal covers.
const EVENTS: i64 = 10_000;
/// The most seals that one run makes; the next run goes on.
const SEALS: u32 = 50;
/// The most projects that one look finds.
const PROJECTS: i64 = 10_000;

/// Returns the digest of the project's events after `after`, up to `through`, at most `limit` of
/// them; `None` when there are none.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub(crate) async fn digest(
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
        hash.update(canonical(&serde_json::to_value(&event).map_err(Error::internal)?)?);
        hash.update(b"\n");
        events += 1;
        last = Some(event.id);
    }
    let sha256 = hex(&hash.finalize());
    Ok(last.map(|through| AuditDigest { after, events, sha256, through }))
}

/// Enqueues a [`DigestAudit`] for every project that has events to digest, those that have waited
/// longest first.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn digest_all(core: &Core) -> Result<()> {
    let write = core.write(Caller::system(DbScope::Worker), async |unit| {
        for project in store::audit::undigested(unit, settled(core), PROJECTS).await? {
            unit.enqueue(&DigestAudit { project })?;
        }
        Ok(())
    });
    write.await
}

/// Digests the new events of the project's audit log, on behalf of a job's `request`, and leaves
/// the seals in the outbox. Only one of two concurrent calls does so.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn digest_project(core: &Core, project: ProjectId, request: &RequestContext) -> Result<()> {
    let through = settled(core);
    for _ in 0..SEALS {
        let by = Caller::job(DbScope::Job(project), request);
        let digested = core.write(by, async |unit| {
            let after = store::audit::digested_through(unit, project).await?;
            let Some(digest) = digest(unit, project, after, through, EVENTS).await? else {
                return Ok(false);
            };
            if !store::audit::advance(unit, project, after, digest.through).await? {
                return Ok(false);
            }
            let payload = json!(digest);
            let (kind, verdict) = (AuditDigest::KIND, Verdict::Seal);
            outbox::put(unit, project, OutboxSeal { kind, verdict, subject: None, payload: &payload })
                .await?;
            Ok(true)
        });
        if !digested.await? {
            break;
        }
    }
    Ok(())
}

/// Returns the largest identifier of an event that is old enough by now.
fn settled(core: &Core) -> AuditId {
    audit::first_id_at(core.clock.now() - SETTLED_AGE)
}
