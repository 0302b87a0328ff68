//! How many of each.

/// How many organizations one person can be a member of.
pub const MAX_OF_A_PERSON: i64 = 50;
/// How many members an organization can have.
pub const MAX_MEMBERS: i64 = 500;
/// How many projects an organization can have.
pub const MAX_PROJECTS: i64 = 100;
