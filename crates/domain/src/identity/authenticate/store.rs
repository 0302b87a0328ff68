//! The SQL of looking up credentials.

use kernel::{
    caller::{Plan, Role},
    clock::Timestamp,
    crypto::Did,
    ids::{ApiKeyId, ProjectId, SessionId, UserId},
};
use sqlx::PgConnection;

use super::model::{CredentialAgentRow, KeyRow};

pub(super) async fn find_key(tx: &mut PgConnection, id: ApiKeyId) -> sqlx::Result<Option<KeyRow>> {
    sqlx::query_as("SELECT * FROM find_credential_key($1)").bind(id).fetch_optional(tx).await
}

pub(super) async fn touch_key(tx: &mut PgConnection, id: ApiKeyId, at: Timestamp) -> sqlx::Result<()> {
    sqlx::query("SELECT touch_api_key($1, $2)").bind(id).bind(at).execute(tx).await?;
    Ok(())
}

pub(super) async fn find_agents(
    tx: &mut PgConnection,
    did: &Did,
    project: Option<ProjectId>,
) -> sqlx::Result<Vec<CredentialAgentRow>> {
    sqlx::query_as("SELECT id, project_id, public_key, plan FROM find_credential_agents($1, $2)")
        .bind(did)
        .bind(project)
        .fetch_all(tx)
        .await
}

pub(super) async fn find_session(
    tx: &mut PgConnection,
    id: SessionId,
) -> sqlx::Result<Option<(UserId, Timestamp)>> {
    sqlx::query_as("SELECT user_id, expires_at FROM find_session($1)").bind(id).fetch_optional(tx).await
}

pub(super) async fn find_membership(
    tx: &mut PgConnection,
    user: UserId,
    project: ProjectId,
) -> sqlx::Result<Option<(Role, Plan)>> {
    sqlx::query_as("SELECT role, plan FROM find_membership($1, $2)")
        .bind(user)
        .bind(project)
        .fetch_optional(tx)
        .await
}
