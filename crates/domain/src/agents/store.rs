//! The SQL of the registry.

use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::{Agent, Capability};
use kernel::{
    clock::Timestamp,
    crypto::{Did, PublicKey},
    ids::{AgentId, ProjectId},
};

#[derive(FromRow)]
struct Row {
    id: AgentId,
    did: Did,
    public_key: Vec<u8>,
    name: String,
    capabilities: Json<Vec<Capability>>,
    endpoint: Option<String>,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Agent {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.id,
            did: row.did,
            public_key: PublicKey::from_bytes(&row.public_key).map_err(sqlx::Error::decode)?,
            name: row.name,
            capabilities: row.capabilities.0,
            endpoint: row.endpoint.map(|url| url.parse()).transpose().map_err(sqlx::Error::decode)?,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Inserts the agent or changes the one of its DID; `None` when that one lives under another key. The flag says whether it is new.
pub(super) async fn upsert(
    tx: &mut PgConnection,
    project: ProjectId,
    agent: &Agent,
) -> sqlx::Result<Option<(Agent, bool)>> {
    #[derive(FromRow)]
    struct Upserted {
        #[sqlx(flatten)]
        row: Row,
        created: bool,
    }
    let upserted: Option<Upserted> = sqlx::query_as(
        "INSERT INTO agents AS a (id, project_id, did, public_key, name, capabilities, endpoint, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
         ON CONFLICT ON CONSTRAINT agents_did DO UPDATE SET \
             public_key = excluded.public_key, name = excluded.name, capabilities = excluded.capabilities, \
             endpoint = excluded.endpoint, version = a.version + 1, updated_at = excluded.updated_at, deleted_at = NULL \
         WHERE a.public_key = excluded.public_key OR a.deleted_at IS NOT NULL \
         RETURNING id, did, public_key, name, capabilities, endpoint, version, created_at, updated_at, id = $1 AS created",
    )
    .bind(agent.id)
    .bind(project)
    .bind(&agent.did)
    .bind(agent.public_key.as_bytes().as_slice())
    .bind(&agent.name)
    .bind(Json(&agent.capabilities))
    .bind(agent.endpoint.as_ref().map(url::Url::as_str))
    .bind(agent.updated_at)
    .fetch_optional(tx)
    .await?;
    upserted.map(|found| Ok((found.row.try_into()?, found.created))).transpose()
}

/// One that is asked for twice is found once.
pub(super) async fn find_all(tx: &mut PgConnection, project: ProjectId, dids: &[Did]) -> sqlx::Result<Vec<Agent>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, did, public_key, name, capabilities, endpoint, version, created_at, updated_at \
         FROM agents WHERE project_id = $1 AND did = ANY($2) AND deleted_at IS NULL",
    )
    .bind(project)
    .bind(dids)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Agent::try_from).collect()
}

pub(super) async fn count(tx: &mut PgConnection, project: ProjectId) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM agents WHERE project_id = $1 AND deleted_at IS NULL")
        .bind(project)
        .fetch_one(tx)
        .await
}

/// For who is about to change it.
pub(super) async fn find_to_change(
    tx: &mut PgConnection,
    project: ProjectId,
    did: &Did,
) -> sqlx::Result<Option<Agent>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, did, public_key, name, capabilities, endpoint, version, created_at, updated_at \
         FROM agents WHERE project_id = $1 AND did = $2 AND deleted_at IS NULL FOR UPDATE",
    )
    .bind(project)
    .bind(did)
    .fetch_optional(tx)
    .await?;
    row.map(Agent::try_from).transpose()
}

pub(super) async fn list(
    tx: &mut PgConnection,
    project: ProjectId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Agent>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, did, public_key, name, capabilities, endpoint, version, created_at, updated_at \
         FROM agents WHERE project_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(project)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Agent::try_from).collect()
}

/// The agent as it was.
pub(super) async fn remove(
    tx: &mut PgConnection,
    project: ProjectId,
    did: &Did,
    now: Timestamp,
) -> sqlx::Result<Option<Agent>> {
    let row: Option<Row> = sqlx::query_as(
        "UPDATE agents SET deleted_at = $3 WHERE project_id = $1 AND did = $2 AND deleted_at IS NULL \
         RETURNING id, did, public_key, name, capabilities, endpoint, version, created_at, updated_at",
    )
    .bind(project)
    .bind(did)
    .bind(now)
    .fetch_optional(tx)
    .await?;
    row.map(Agent::try_from).transpose()
}

pub(super) async fn is_removed(tx: &mut PgConnection, id: AgentId) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT deleted_at IS NOT NULL FROM agents WHERE id = $1").bind(id).fetch_one(tx).await
}
