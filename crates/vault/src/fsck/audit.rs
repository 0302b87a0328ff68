//! The audit log: what is there now, against what was sealed of it.

use sqlx::PgConnection;

use super::{
    super::audit::{AuditDigest, KIND, digest},
    Finding, Report,
};
use crate::list::Entry;
use kernel::{
    error::Result,
    ids::{AuditId, ProjectId},
};

/// The stretch of the audit log that an entry says it is of.
pub(super) fn sealed(entry: &Entry) -> Option<AuditDigest> {
    if entry.kind == KIND { serde_json::from_str(entry.payload.get()).ok() } else { None }
}

/// Compares the events with their digests, which begin after `through` and follow each other; says in `through` how far they go.
pub(super) async fn compare(
    tx: &mut PgConnection,
    project: ProjectId,
    digests: Vec<(u64, AuditDigest)>,
    through: &mut Option<AuditId>,
    report: &mut Report,
) -> Result<()> {
    for (index, sealed) in digests {
        if sealed.after != *through {
            report.found(Finding::AuditSkipped { index });
        }
        *through = Some(sealed.through);
        // One event more than there may be is enough to see that there are more.
        let limit = i64::try_from(sealed.events).unwrap_or(i64::MAX).saturating_add(1);
        let now = digest(tx, project, sealed.after, sealed.through, limit).await?;
        if now.as_ref() != Some(&sealed) {
            let (sealed, now) = (sealed.events, now.map_or(0, |now| now.events));
            report.found(Finding::AuditChanged { index, sealed, now });
        }
    }
    Ok(())
}
