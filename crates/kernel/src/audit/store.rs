//! The SQL of reading the audit log.

use futures::stream::BoxStream;
use sqlx::PgConnection;

use super::Event;
use crate::ids::{AuditId, ProjectId};

/// The columns of an [`Event`].
macro_rules! columns {
    () => {
        "SELECT id, at, actor, action, subject, project_id, request_id, address, user_agent, \
                encode(before_digest, 'hex') AS before_sha256, encode(after_digest, 'hex') AS after_sha256 \
         FROM audit_events WHERE "
    };
}

/// Streams a project's events after one and up to another, the oldest first.
pub fn of_project(
    tx: &mut PgConnection,
    project: ProjectId,
    (after, through): (Option<AuditId>, AuditId),
    limit: i64,
) -> BoxStream<'_, sqlx::Result<Event>> {
    const SQL: &str = concat!(
        columns!(),
        "project_id = $1 AND id > COALESCE($2, '00000000-0000-0000-0000-000000000000'::uuid) AND id <= $3 \
        ORDER BY id LIMIT $4"
    );
    sqlx::query_as(SQL).bind(project).bind(after).bind(through).bind(limit).fetch(tx)
}
