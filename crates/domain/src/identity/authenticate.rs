//! Looking up credentials, before it is known whose they are. What is found is checked by the caller, who also keeps it for a few
//! seconds: a revoked key, an ended session or a removed agent is refused on every replica within that time.

use chrono::TimeDelta;

use super::store;
use kernel::caller::{Permissions, Plan, Role};
use kernel::{
    Caller, Core,
    clock::Timestamp,
    crypto::{Did, PublicKey},
    error::{Error, Result},
    ids::{AgentId, ApiKeyId, ProjectId, SessionId, UserId},
};

/// How exact the last use of a key is: writing down each would cost a row version for each.
const LAST_USE_RESOLUTION: TimeDelta = TimeDelta::minutes(1);

/// An API key at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Whose it is.
    pub project: ProjectId,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// After which it is refused.
    pub expires_at: Option<Timestamp>,
    /// What it may do.
    pub permissions: Permissions,
    /// What the project pays for.
    pub plan: Plan,
}

/// An agent under a DID, in one of the projects that registered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAgent {
    /// The agent.
    pub id: AgentId,
    /// Whose it is.
    pub project: ProjectId,
    /// The key that proved possession at registration.
    pub public_key: PublicKey,
    /// What the project pays for.
    pub plan: Plan,
}

/// A session that was not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSession {
    /// Whose it is.
    pub user: UserId,
    /// After which it is refused.
    pub expires_at: Timestamp,
}

/// What a person is in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMembership {
    /// Their role in its organisation.
    pub role: Role,
    /// What the project pays for.
    pub plan: Plan,
}

/// The key of that id and of that secret's hash, unless it was revoked. Notes that it was used.
///
/// # Errors
/// Those of the database.
pub async fn find_key(core: &Core, id: ApiKeyId, secret_hash: &[u8; 32]) -> Result<Option<KnownKey>> {
    let mut tx = core.db.begin(Caller::Anonymous).await?;
    let row = store::find_key(&mut tx, id).await?.filter(|row| row.secret_hash == secret_hash);
    let now = core.clock.now();
    if let Some(row) = &row
        && row.last_used_at.is_none_or(|last| last + LAST_USE_RESOLUTION < now)
    {
        store::touch_key(&mut tx, id, now).await?;
    }
    tx.commit().await?;
    row.map(|row| {
        Ok(KnownKey {
            project: row.project_id,
            secret_hash: *secret_hash,
            expires_at: row.expires_at,
            permissions: Permissions::from_names(&row.scopes),
            plan: row.plan.parse().map_err(Error::internal)?,
        })
    })
    .transpose()
}

/// The agents of that DID, at most 16, one in each project that has it; or the one in `project`.
///
/// # Errors
/// Those of the database.
pub async fn find_agents(core: &Core, did: &Did, project: Option<ProjectId>) -> Result<Vec<KnownAgent>> {
    let mut tx = core.db.begin(Caller::Anonymous).await?;
    let rows = store::find_agents(&mut tx, did, project).await?;
    tx.commit().await?;
    rows.into_iter()
        .map(|(id, project, key, plan)| {
            let public_key = PublicKey::from_bytes(&key).map_err(Error::internal)?;
            Ok(KnownAgent { id, project, public_key, plan: plan.parse().map_err(Error::internal)? })
        })
        .collect()
}

/// The session of that id, unless it was ended.
///
/// # Errors
/// Those of the database.
pub async fn find_session(core: &Core, id: SessionId) -> Result<Option<KnownSession>> {
    let mut tx = core.db.begin(Caller::Anonymous).await?;
    let row = store::find_session(&mut tx, id).await?;
    tx.commit().await?;
    Ok(row.map(|(user, expires_at)| KnownSession { user, expires_at }))
}

/// What `user` is in `project`; nothing when they are no member of its organisation, or there is none.
///
/// # Errors
/// Those of the database.
pub async fn find_membership(core: &Core, user: UserId, project: ProjectId) -> Result<Option<KnownMembership>> {
    let mut tx = core.db.begin(Caller::Anonymous).await?;
    let row = store::find_membership(&mut tx, user, project).await?;
    tx.commit().await?;
    row.map(|(role, plan)| {
        Ok(KnownMembership {
            role: role.parse().map_err(Error::internal)?,
            plan: plan.parse().map_err(Error::internal)?,
        })
    })
    .transpose()
}
