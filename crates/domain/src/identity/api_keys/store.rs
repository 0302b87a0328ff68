//! The SQL of API keys.

use sqlx::PgConnection;

use super::ApiKey;
use crate::{clock::Timestamp, identity::Permissions, ids::ProjectId};

/// A key to be written down.
pub(in crate::identity) struct NewKey<'a> {
    pub(in crate::identity) key: &'a ApiKey,
    pub(in crate::identity) name: &'a str,
    pub(in crate::identity) scopes: Permissions,
    pub(in crate::identity) created_by: &'a str,
    pub(in crate::identity) created_at: Timestamp,
    pub(in crate::identity) expires_at: Option<Timestamp>,
}

pub(in crate::identity) async fn insert(
    tx: &mut PgConnection,
    project: ProjectId,
    new: &NewKey<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO api_keys (id, project_id, name, secret_hash, scopes, created_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new.key.id())
    .bind(project)
    .bind(new.name)
    .bind(new.key.secret_hash().as_slice())
    .bind(new.scopes.names())
    .bind(new.created_by)
    .bind(new.created_at)
    .bind(new.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}
