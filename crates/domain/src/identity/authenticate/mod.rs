//! Look-up of credentials, before their owner is known. The caller checks the rows, and also
//! remembers them for a few seconds: within that time every replica refuses a revoked key, an ended
//! session or a removed agent.

mod find;
mod model;
mod store;

pub use find::{find_agents, find_key, find_membership, find_session};
pub use model::{KnownAgent, KnownKey, KnownMembership, KnownSession};
