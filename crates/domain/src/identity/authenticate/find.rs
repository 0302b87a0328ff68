//! Look-up of the rows behind a credential.

use chrono::TimeDelta;
use kernel::{
    Core, DbScope,
    caller::{Caller, Permissions},
    crypto::{Did, PublicKey},
    error::{Error, Result},
    ids::{ApiKeyId, ProjectId, SessionId, UserId},
};

use super::{
    model::{CredentialAgentRow, KnownAgent, KnownKey, KnownMembership, KnownSession},
    store,
};

/// The resolution of a key's last use: recording each use would cost a row version each.
const LAST_USE_RESOLUTION: TimeDelta = TimeDelta::minutes(1);

/// Returns the key of that id and of that secret's hash, unless it was revoked. Records that it was
/// used.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn find_key(core: &Core, id: ApiKeyId, secret_hash: &[u8; 32]) -> Result<Option<KnownKey>> {
    core.write(lookup(), async |unit| {
        let Some(row) = store::find_key(unit, id).await?.filter(|row| row.secret_hash == secret_hash) else {
            return Ok(None);
        };
        let now = unit.now();
        if row.last_used_at.is_none_or(|last| last + LAST_USE_RESOLUTION < now) {
            store::touch_key(unit, id, now).await?;
        }
        Ok(Some(KnownKey {
            project: row.project_id,
            secret_hash: *secret_hash,
            expires_at: row.expires_at,
            permissions: Permissions::from_names(&row.scopes),
            plan: row.plan,
        }))
    })
    .await
}

/// Returns the agents of that DID, at most 16, one in each project that has it; or the one in
/// `project`.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn find_agents(core: &Core, did: &Did, project: Option<ProjectId>) -> Result<Vec<KnownAgent>> {
    let rows = core.read(lookup(), async |tx| Ok(store::find_agents(tx, did, project).await?)).await?;
    let known = |row: CredentialAgentRow| {
        let public_key = PublicKey::from_bytes(&row.public_key).map_err(Error::internal)?;
        Ok(KnownAgent { id: row.id, project: row.project_id, public_key, plan: row.plan })
    };
    rows.into_iter().map(known).collect()
}

/// Returns the session of that id, unless it was ended.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn find_session(core: &Core, id: SessionId) -> Result<Option<KnownSession>> {
    let row = core.read(lookup(), async |tx| Ok(store::find_session(tx, id).await?)).await?;
    Ok(row.map(|(user, expires_at)| KnownSession { user, expires_at }))
}

/// Returns the membership of `user` in `project`; `None` when they are no member of its
/// organization, or there is no such project.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn find_membership(
    core: &Core,
    user: UserId,
    project: ProjectId,
) -> Result<Option<KnownMembership>> {
    let row = core.read(lookup(), async |tx| Ok(store::find_membership(tx, user, project).await?)).await?;
    Ok(row.map(|(role, plan)| KnownMembership { role, plan }))
}

fn lookup() -> Caller<'static> {
    Caller::system(DbScope::Credentials)
}
