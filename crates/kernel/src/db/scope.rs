//! The roles and tenants that a transaction can have.

use uuid::Uuid;

use super::STATEMENT_TIMEOUT_MS;
use crate::ids::{OrganizationId, ProjectId, UserId};

/// The role that a transaction assumes, and the rows that row-level security shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DbScope {
    /// Looks credentials up: sees no tenant's rows, and may call the functions that find them.
    Credentials,
    /// Before the caller is known: everybody's accounts, sessions and memberships, and no tenant's
    /// data.
    PreAuth,
    /// As [`DbScope::PreAuth`], for a person who is known and becomes a member of an organization.
    Joining(UserId),
    /// A person, with the rows that are theirs alone.
    Person(UserId),
    /// A person in an organization: shows none of its rows unless they are a member.
    Member(UserId, OrganizationId),
    /// A request inside one project.
    Project(ProjectId),
    /// A job of one project.
    Job(ProjectId),
    /// The worker's own housekeeping, across projects.
    Worker,
}

impl DbScope {
    /// Returns the tenant of the rows: the project, or the person where there is none.
    pub fn tenant(self) -> Uuid {
        match self {
            DbScope::Credentials | DbScope::PreAuth | DbScope::Worker => Uuid::nil(),
            DbScope::Joining(person) | DbScope::Person(person) | DbScope::Member(person, _) => person.uuid(),
            DbScope::Project(project) | DbScope::Job(project) => project.uuid(),
        }
    }

    /// Returns the statement that begins the transaction. It is the only SQL text that is built at
    /// run time; every part is a literal or the digits of a UUID.
    pub(super) fn begin(self) -> String {
        let role = match self {
            DbScope::Credentials | DbScope::Person(_) | DbScope::Member(..) | DbScope::Project(_) => {
                "holdfast_app"
            }
            DbScope::PreAuth | DbScope::Joining(_) => "holdfast_auth",
            DbScope::Job(_) | DbScope::Worker => "holdfast_worker",
        };
        let tenant = match self {
            DbScope::Credentials | DbScope::PreAuth | DbScope::Worker => String::new(),
            DbScope::Project(project) | DbScope::Job(project) => set("project_id", project.uuid()),
            DbScope::Joining(person) | DbScope::Person(person) => set("user_id", person.uuid()),
            DbScope::Member(person, organization) => {
                set("user_id", person.uuid()) + &set("organization_id", organization.uuid())
            }
        };
        format!("BEGIN; SET LOCAL ROLE {role}{tenant}; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
    }
}

/// Returns a setting that ends with its transaction, so that none is left over from another.
fn set(name: &'static str, value: Uuid) -> String {
    format!("; SET LOCAL app.{name} = '{value}'")
}
