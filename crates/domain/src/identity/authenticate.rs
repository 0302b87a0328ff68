//! Looking up credentials, before it is known whose they are. What is found is checked by the caller, who also keeps it for a few
//! seconds: a revoked key or a removed agent is refused on every replica within that time.

use super::store;
use crate::{
    Caller, Db,
    clock::Timestamp,
    crypto::{Did, PublicKey},
    error::{Error, Result},
    ids::{AgentId, ApiKeyId, ProjectId},
};

/// An API key at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Whose it is.
    pub project: ProjectId,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// After which it is refused.
    pub expires_at: Option<Timestamp>,
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
}

/// The key of that id, unless it was revoked.
///
/// # Errors
/// Those of the database.
pub async fn find_key(db: &Db, id: ApiKeyId) -> Result<Option<KnownKey>> {
    let mut tx = db.begin(Caller::Anonymous).await?;
    let row = store::find_key(&mut tx, id).await?;
    tx.commit().await?;
    row.map(|(project, hash, expires_at)| {
        let secret_hash = hash.try_into().map_err(|_| Error::internal("an API key's hash is not of 32 bytes"))?;
        Ok(KnownKey { project, secret_hash, expires_at })
    })
    .transpose()
}

/// The agents of that DID, at most 16, one in each project that has it; or the one in `project`.
///
/// # Errors
/// Those of the database.
pub async fn find_agents(db: &Db, did: &Did, project: Option<ProjectId>) -> Result<Vec<KnownAgent>> {
    let mut tx = db.begin(Caller::Anonymous).await?;
    let rows = store::find_agents(&mut tx, did, project).await?;
    tx.commit().await?;
    rows.into_iter()
        .map(|(id, project, key)| {
            let public_key = PublicKey::from_bytes(&key).map_err(Error::internal)?;
            Ok(KnownAgent { id, project, public_key })
        })
        .collect()
}
