//! The SQL of projects, API keys and the look-up of credentials.

use sqlx::PgConnection;

use super::ApiKey;
use crate::{
    clock::Timestamp,
    crypto::Did,
    ids::{AgentId, ApiKeyId, ProjectId},
};

pub(super) async fn insert_project(
    tx: &mut PgConnection,
    id: ProjectId,
    name: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO projects (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(name)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_key(
    tx: &mut PgConnection,
    project: ProjectId,
    key: &ApiKey,
    name: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO api_keys (id, project_id, name, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(key.id())
        .bind(project)
        .bind(name)
        .bind(key.secret_hash().as_slice())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn find_key(
    tx: &mut PgConnection,
    id: ApiKeyId,
) -> sqlx::Result<Option<(ProjectId, Vec<u8>, Option<Timestamp>)>> {
    sqlx::query_as("SELECT project_id, secret_hash, expires_at FROM find_api_key($1)").bind(id).fetch_optional(tx).await
}

pub(super) async fn find_agents(
    tx: &mut PgConnection,
    did: &Did,
    project: Option<ProjectId>,
) -> sqlx::Result<Vec<(AgentId, ProjectId, Vec<u8>)>> {
    sqlx::query_as("SELECT id, project_id, public_key FROM find_agents($1, $2)")
        .bind(did)
        .bind(project)
        .fetch_all(tx)
        .await
}
