//! Who is calling and what they may do: people and their sessions, organisations and their projects, API keys, and agents that sign.
//!
//! | module | what |
//! |---|---|
//! | [`access`] | the one table of roles and permissions |
//! | `principal` | who is calling, once proved: [`Principal`] in a project, [`Person`], [`Member`] of an organisation, [`Signer`] |
//! | [`access_token`] | what proves a person for 15 minutes: a JWT |
//! | [`api_keys`] | a project's keys |
//! | [`users`] | accounts: signing up, passwords, profile, e-mailed tokens, export and erasure |
//! | [`sessions`] | logins, refresh tokens, access tokens |
//! | [`passkeys`] | WebAuthn |
//! | [`organizations`] | organisations, memberships, invitations, projects |

pub mod access_token;
pub mod api_keys;
mod authenticate;
mod bootstrap;
pub mod organizations;
pub mod passkeys;
pub mod password;
pub mod sessions;
mod store;
pub mod users;

pub use api_keys::ApiKey;
pub use authenticate::{
    KnownAgent, KnownKey, KnownMembership, KnownSession, find_agents, find_key, find_membership, find_session,
};
pub use bootstrap::bootstrap;
