//! How much one project and one agent may have.

/// How many agents a project can have. Registrations of one moment may pass it by as many as they
/// are: the bound keeps look-ups and pages cheap, and need not be exact.
pub const MAX_AGENTS: i64 = 10_000;
/// How many capabilities an agent can have.
pub(super) const MAX_CAPABILITIES: usize = 32;
/// How many tags a capability can have.
pub(super) const MAX_TAGS: usize = 16;
/// How long an endpoint can be, in characters.
pub(super) const MAX_ENDPOINT: usize = 2048;
/// How large all capabilities of an agent can be together, in bytes of JSON: a page of agents is
/// put together in memory.
pub(super) const MAX_CAPABILITIES_BYTES: usize = 16 * 1024;
