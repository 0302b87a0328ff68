//! The SQL of reading the audit log.

use kernel::{
    audit::Event,
    ids::{OrganizationId, UserId},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::Filter;

/// The columns of an [`Event`].
macro_rules! columns {
    () => {
        "SELECT id, at, actor, action, subject, project_id, request_id, address, user_agent, \
                encode(before_digest, 'hex') AS before_sha256, encode(after_digest, 'hex') AS after_sha256 \
         FROM audit_events WHERE "
    };
}

/// Selects the events whose `$column` has a value, newest first. Each column has its own text, so
/// that Postgres uses that column's index.
macro_rules! events {
    ($column:literal) => {
        concat!(
            columns!(),
            $column,
            " = $1 AND id >= $2 AND id < $3 AND ($4::text IS NULL OR actor = $4) \
             AND ($5::text IS NULL OR action = $5) AND ($6::text IS NULL OR subject = $6) \
             AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8) \
             ORDER BY id DESC LIMIT $9"
        )
    };
}

pub(super) async fn of_organization(
    tx: &mut PgConnection,
    organization: OrganizationId,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    select(tx, events!("organization_id"), organization.uuid(), filter, before, limit).await
}

pub(super) async fn of_person(
    tx: &mut PgConnection,
    user: UserId,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    select(tx, events!("user_id"), user.uuid(), filter, before, limit).await
}

async fn select(
    tx: &mut PgConnection,
    sql: &'static str,
    whose: Uuid,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    let (first, end) = filter.ids();
    sqlx::query_as(sql)
        .bind(whose)
        .bind(first)
        .bind(before.map_or(end, |before| before.min(end)))
        .bind(&filter.actor)
        .bind(&filter.action)
        .bind(&filter.subject)
        .bind(filter.from)
        .bind(filter.to)
        .bind(limit)
        .fetch_all(tx)
        .await
}
