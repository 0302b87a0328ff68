//! The audit log as it is now, compared with its sealed digests.

use kernel::{
    error::Result,
    ids::{AuditId, ProjectId},
};
use sqlx::PgConnection;

use super::{finding::Finding, report::Report};
use crate::{
    audit::digest,
    model::{AuditDigest, Entry},
};

/// Returns the digest that an entry holds, if it holds one.
pub(super) fn sealed(entry: &Entry) -> Option<AuditDigest> {
    if entry.kind == AuditDigest::KIND { serde_json::from_str(entry.payload.get()).ok() } else { None }
}

/// Compares the events with their digests, which begin after `through` and follow each other. Moves
/// `through` to where they end.
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
        // One event more than there may be shows that there are more.
        let limit = i64::try_from(sealed.events).unwrap_or(i64::MAX).saturating_add(1);
        let now = digest(tx, project, sealed.after, sealed.through, limit).await?;
        if now.as_ref() != Some(&sealed) {
            let (sealed, now) = (sealed.events, now.map_or(0, |now| now.events));
            report.found(Finding::AuditChanged { index, sealed, now });
        }
    }
    Ok(())
}
