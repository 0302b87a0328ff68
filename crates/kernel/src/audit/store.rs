//! The SQL of the audit log.

use futures::stream::BoxStream;
use sqlx::PgConnection;

use super::{By, Event};
use crate::{
    clock::Timestamp,
    ids::{AuditId, ProjectId},
};

pub(super) struct Row<'a> {
    pub(super) id: AuditId,
    pub(super) at: Timestamp,
    pub(super) by: By<'a>,
    pub(super) action: &'static str,
    pub(super) subject: &'a str,
    pub(super) before: Option<[u8; 32]>,
    pub(super) after: Option<[u8; 32]>,
}

pub(super) async fn insert(tx: &mut PgConnection, row: &Row<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO audit_events (id, at, actor, action, subject, project_id, organization_id, user_id, request_id, address, user_agent, \
                                   before_digest, after_digest) \
         VALUES ($1, $2, $3, $4, $5, $6, COALESCE($7, (SELECT organization_id FROM projects WHERE id = $6)), $8, $9, $10, $11, $12, $13)",
    )
    .bind(row.id)
    .bind(row.at)
    .bind(row.by.actor.to_string())
    .bind(row.action)
    .bind(row.subject)
    .bind(row.by.project)
    .bind(row.by.organization)
    .bind(row.by.user)
    .bind(&row.by.request.id)
    .bind(&row.by.request.address)
    .bind(&row.by.request.user_agent)
    .bind(row.before.as_ref().map(<[u8; 32]>::as_slice))
    .bind(row.after.as_ref().map(<[u8; 32]>::as_slice))
    .execute(tx)
    .await?;
    Ok(())
}

/// The columns of an [`Event`].
macro_rules! columns {
    () => {
        "SELECT id, at, actor, action, subject, project_id, request_id, address, user_agent, \
                encode(before_digest, 'hex') AS before_sha256, encode(after_digest, 'hex') AS after_sha256 \
         FROM audit_events WHERE "
    };
}

/// A project's events after one and up to another, oldest first, one at a time.
pub fn of_project(
    tx: &mut PgConnection,
    project: ProjectId,
    (after, through): (Option<AuditId>, AuditId),
    limit: i64,
) -> BoxStream<'_, sqlx::Result<Event>> {
    const SQL: &str = concat!(
        columns!(),
        "project_id = $1 AND id > COALESCE($2, '00000000-0000-0000-0000-000000000000'::uuid) AND id <= $3 ORDER BY id LIMIT $4"
    );
    sqlx::query_as(SQL).bind(project).bind(after).bind(through).bind(limit).fetch(tx)
}
