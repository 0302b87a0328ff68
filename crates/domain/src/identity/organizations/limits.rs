//! Limits of organizations.

/// The most organizations that one person can be a member of.
pub const MAX_OF_A_PERSON: i64 = 50;
/// The most members of an organization.
pub const MAX_MEMBERS: i64 = 500;
/// The most projects of an organization.
pub const MAX_PROJECTS: i64 = 100;
