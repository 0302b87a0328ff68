//! Credentials as they are stored.

use kernel::{
    caller::{Permissions, Plan, Role},
    clock::Timestamp,
    crypto::PublicKey,
    ids::{AgentId, ProjectId, UserId},
};

/// An API key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The project that it opens.
    pub project: ProjectId,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// The things it may do.
    pub permissions: Permissions,
    /// The project's plan.
    pub plan: Plan,
}

/// An agent under a DID, in one of the projects that registered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAgent {
    /// The agent.
    pub id: AgentId,
    /// The project.
    pub project: ProjectId,
    /// The key that proved possession at registration.
    pub public_key: PublicKey,
    /// The project's plan.
    pub plan: Plan,
}

/// A session that was not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSession {
    /// The person.
    pub user: UserId,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A person's membership in the organization of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMembership {
    /// Their role in its organization.
    pub role: Role,
    /// The project's plan.
    pub plan: Plan,
}

/// A row of `find_credential_key`.
#[derive(sqlx::FromRow)]
pub(super) struct KeyRow {
    pub(super) project_id: ProjectId,
    pub(super) secret_hash: Vec<u8>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) scopes: Vec<String>,
    pub(super) last_used_at: Option<Timestamp>,
    pub(super) plan: Plan,
}

/// A row of `find_credential_agents`.
#[derive(sqlx::FromRow)]
pub(super) struct CredentialAgentRow {
    pub(super) id: AgentId,
    pub(super) project_id: ProjectId,
    pub(super) public_key: Vec<u8>,
    pub(super) plan: Plan,
}
