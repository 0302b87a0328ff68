//! Looking up credentials, before it is known whose they are. The caller checks what is found, and
//! also keeps it for a few seconds: a revoked key, an ended session or a removed agent is refused
//! on every replica within that time.

mod find;
mod model;
mod store;

pub use find::{find_agents, find_key, find_membership, find_session};
pub use model::{KnownAgent, KnownKey, KnownMembership, KnownSession};
