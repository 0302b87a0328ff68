//! Limits of one project and one agent.

/// The most agents of a project. Concurrent registrations may exceed it by their own number: the
/// limit keeps look-ups and pages cheap, and need not be exact.
pub const MAX_AGENTS: i64 = 10_000;
/// The most capabilities of an agent.
pub(super) const MAX_CAPABILITIES: usize = 32;
/// The most tags of a capability.
pub(super) const MAX_TAGS: usize = 16;
/// The length of the longest endpoint, in characters.
pub(super) const MAX_ENDPOINT: usize = 2048;
/// The largest size of all capabilities of an agent together, in bytes of JSON: a page of agents is
/// built in memory.
pub(super) const MAX_CAPABILITIES_BYTES: usize = 16 * 1024;
