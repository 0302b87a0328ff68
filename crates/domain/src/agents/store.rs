//! The SQL of the registry.

use kernel::{
    clock::Timestamp,
    crypto::{Did, PublicKey},
    ids::{AgentId, ProjectId},
};
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::model::{Agent, AgentName, Capability};

#[derive(FromRow)]
struct AgentRow {
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

impl TryFrom<AgentRow> for Agent {
    type Error = sqlx::Error;

    fn try_from(row: AgentRow) -> sqlx::Result<Self> {
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

/// The columns of an [`AgentRow`].
macro_rules! columns {
    () => {
        "id, did, public_key, name, capabilities, endpoint, version, created_at, updated_at"
    };
}

/// Inserts the agent or changes the one of its DID; returns `None` when that one lives under
/// another key. The flag is true for a new agent.
pub(super) async fn upsert(
    tx: &mut PgConnection,
    project: ProjectId,
    agent: &Agent,
) -> sqlx::Result<Option<(Agent, bool)>> {
    #[derive(FromRow)]
    struct Upserted {
        #[sqlx(flatten)]
        row: AgentRow,
        is_new: bool,
    }
    let upserted: Option<Upserted> = sqlx::query_as(concat!(
        "INSERT INTO agents AS a \
             (id, project_id, did, public_key, name, capabilities, endpoint, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
         ON CONFLICT ON CONSTRAINT agents_did DO UPDATE SET \
             public_key = excluded.public_key, name = excluded.name, capabilities = excluded.capabilities, \
             endpoint = excluded.endpoint, version = a.version + 1, updated_at = excluded.updated_at, \
             deleted_at = NULL \
         WHERE a.public_key = excluded.public_key OR a.deleted_at IS NOT NULL \
         RETURNING ",
        columns!(),
        ", id = $1 AS is_new"
    ))
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
    upserted.map(|found| Ok((found.row.try_into()?, found.is_new))).transpose()
}

/// Finds the agents of these names. One that is named twice is found once.
pub(super) async fn find_all(
    tx: &mut PgConnection,
    project: ProjectId,
    names: &[AgentName],
) -> sqlx::Result<Vec<Agent>> {
    let mut ids: Vec<AgentId> = Vec::new();
    let mut dids: Vec<&Did> = Vec::new();
    for name in names {
        match name {
            AgentName::Id(id) => ids.push(*id),
            AgentName::Did(did) => dids.push(did),
        }
    }
    let rows: Vec<AgentRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM agents WHERE project_id = $1 AND deleted_at IS NULL AND (did = ANY ($2) OR id = ANY ($3))"
    ))
    .bind(project)
    .bind(dids)
    .bind(ids)
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

/// Finds the agent and locks it until the transaction ends.
pub(super) async fn lock(
    tx: &mut PgConnection,
    project: ProjectId,
    name: &AgentName,
) -> sqlx::Result<Option<Agent>> {
    let (id, did) = name.parts();
    let row: Option<AgentRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM agents WHERE project_id = $1 AND (id = $2 OR did = $3) AND deleted_at IS NULL FOR UPDATE"
    ))
    .bind(project)
    .bind(id)
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
    let rows: Vec<AgentRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM agents WHERE project_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3"
    ))
    .bind(project)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Agent::try_from).collect()
}

/// Writes what can change of the agent.
pub(super) async fn update(tx: &mut PgConnection, project: ProjectId, agent: &Agent) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE agents SET name = $3, capabilities = $4, endpoint = $5, version = $6, updated_at = $7 \
         WHERE project_id = $1 AND id = $2",
    )
    .bind(project)
    .bind(agent.id)
    .bind(&agent.name)
    .bind(Json(&agent.capabilities))
    .bind(agent.endpoint.as_ref().map(url::Url::as_str))
    .bind(agent.version)
    .bind(agent.updated_at)
    .execute(tx)
    .await
    .map(drop)
}

/// Removes the agent and returns it as it was.
pub(super) async fn remove(
    tx: &mut PgConnection,
    project: ProjectId,
    name: &AgentName,
    now: Timestamp,
) -> sqlx::Result<Option<Agent>> {
    let (id, did) = name.parts();
    let row: Option<AgentRow> = sqlx::query_as(concat!(
        "UPDATE agents SET deleted_at = $4 \
         WHERE project_id = $1 AND (id = $2 OR did = $3) AND deleted_at IS NULL \
         RETURNING ",
        columns!()
    ))
    .bind(project)
    .bind(id)
    .bind(did)
    .bind(now)
    .fetch_optional(tx)
    .await?;
    row.map(Agent::try_from).transpose()
}
