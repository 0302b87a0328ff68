//! Accounts: people and their sessions, organizations and their projects, API keys; and the look-up
//! of credentials.
//!
//! | module | holds |
//! |---|---|
//! | [`access_token`] | the JWT that proves a person for 15 minutes |
//! | [`api_keys`] | a project's keys |
//! | `authenticate` | the look-up of credentials |
//! | [`mail_tokens`] | the mails of accounts, and the tokens in their links |
//! | [`organizations`] | organizations, memberships, invitations, projects |
//! | [`passkeys`] | WebAuthn |
//! | [`password`] | hashing |
//! | [`sessions`] | logins, refresh tokens |
//! | [`users`] | accounts: signing up, passwords, profile, export and erasure |

pub mod access_token;
pub mod api_keys;
mod authenticate;
mod bootstrap;
pub mod mail_tokens;
pub mod organizations;
pub mod passkeys;
pub mod password;
pub mod sessions;
pub mod users;

pub use api_keys::ApiKey;
pub use authenticate::{
    KnownAgent, KnownKey, KnownMembership, KnownSession, find_agents, find_key, find_membership, find_session,
};
pub use bootstrap::bootstrap;
