//! Who may do what: the one table of roles and permissions, the scopes of API keys, and the plans of projects.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Code, Error, Result};

/// Defines the permissions: name in code, name on the wire, and the lowest role that has it; every role has what those below it have.
macro_rules! permissions {
    ($($name:ident = $wire:literal, $least:ident, $doc:literal;)*) => {
        /// Something that can be allowed. On the wire, and as an API key's scope, `<noun>:<verb>`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Permission {
            $(#[doc = $doc] #[serde(rename = $wire)] $name,)*
        }

        impl Permission {
            /// Every permission there is.
            pub const ALL: &'static [Permission] = &[$(Permission::$name,)*];

            /// The name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Permission::$name => $wire,)* }
            }

            /// The lowest role that has it.
            fn least(self) -> Role {
                match self { $(Permission::$name => Role::$least,)* }
            }
        }
    };
}

permissions! {
    AgentsRead = "agents:read", ReadOnly, "See the registry.";
    AgentsWrite = "agents:write", Developer, "Register and remove agents.";
    IntentsRead = "intents:read", ReadOnly, "See the project's intents.";
    IntentsWrite = "intents:write", Developer, "Act on the project's intents.";
    VaultRead = "vault:read", ReadOnly, "See the vault's seals, and have them proved.";
    VaultWrite = "vault:write", Developer, "Append seals to the vault.";
    VaultErase = "vault:erase", Admin, "Erase the personal data of a subject from the vault.";
    VaultDecide = "vault:decide", Admin, "Approve and reject the vault's proposals.";
    KeysRead = "keys:read", Developer, "See API keys, without their secrets.";
    KeysWrite = "keys:write", Developer, "Make, rotate and revoke API keys.";
    ProjectRead = "project:read", ReadOnly, "See projects.";
    ProjectWrite = "project:write", Admin, "Make and change projects.";
    MembersRead = "members:read", ReadOnly, "See who is a member, and who was invited.";
    MembersWrite = "members:write", Admin, "Invite, change and remove members.";
    OrganizationWrite = "organization:write", Owner, "Change the organisation.";
    AuditRead = "audit:read", Owner, "See and export the audit log.";
}

impl Permission {
    /// Those that a project's API key can have as scopes: what concerns people and organisations takes a person.
    pub fn is_scope(self) -> bool {
        use Permission as P;
        match self {
            P::AgentsRead | P::AgentsWrite | P::IntentsRead | P::IntentsWrite => true,
            P::VaultRead | P::VaultWrite | P::VaultErase => true,
            P::KeysRead | P::KeysWrite | P::ProjectRead => true,
            // A proposal waits for a human.
            P::VaultDecide => false,
            P::ProjectWrite | P::MembersRead | P::MembersWrite | P::OrganizationWrite | P::AuditRead => false,
        }
    }

    fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text).ok_or(UnknownName)
    }
}

/// A text that names nothing in this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name is not known")]
pub struct UnknownName;

/// A set of permissions; its names on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "Vec<String>", from = "Vec<String>")]
pub struct Permissions(u32);

impl Permissions {
    /// All that a project's API key can have.
    pub fn scopes() -> Self {
        Permission::ALL.iter().copied().filter(|permission| permission.is_scope()).collect()
    }

    /// What an agent may do by its signature; in the registry, only to itself.
    pub fn agent() -> Self {
        use Permission as P;
        [P::AgentsRead, P::AgentsWrite, P::IntentsRead, P::IntentsWrite, P::VaultRead, P::VaultWrite]
            .into_iter()
            .collect()
    }

    /// Whether it is among them.
    pub fn allow(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Those in this set and not in `other`.
    pub fn beyond(self, other: Permissions) -> Vec<Permission> {
        self.iter().filter(|permission| !other.allow(*permission)).collect()
    }

    /// Those in the set, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.allow(*permission))
    }

    /// # Errors
    /// [`Code::PermissionMissing`], which names the permission.
    pub fn require(self, permission: Permission) -> Result<()> {
        if self.allow(permission) {
            return Ok(());
        }
        Err(Error::new(
            Code::PermissionMissing,
            format!("This takes the permission `{permission}`, which the caller does not have"),
        ))
    }

    /// As a column of the database has them; `*` is all that a key can have. Names that a newer build wrote allow nothing here.
    pub fn from_names(names: &[String]) -> Self {
        if names.iter().any(|name| name == "*") {
            return Self::scopes();
        }
        names
            .iter()
            .filter_map(|name| name.parse::<Permission>().ok())
            .filter(|permission| permission.is_scope())
            .collect()
    }

    /// The names, for the database and the wire.
    pub fn names(self) -> Vec<String> {
        self.iter().map(|permission| permission.to_string()).collect()
    }
}

impl From<Vec<String>> for Permissions {
    fn from(names: Vec<String>) -> Self {
        Self::from_names(&names)
    }
}

impl From<Permissions> for Vec<String> {
    fn from(permissions: Permissions) -> Self {
        permissions.names()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

/// What a person is in an organisation. In ascending order of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Sees everything but keys and the audit log.
    ReadOnly,
    /// Builds: agents, intents, API keys.
    Developer,
    /// Runs it: projects and members, owners excepted.
    Admin,
    /// Owns it: also owners, the organisation itself and its audit log.
    Owner,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Role; 4] = [Role::ReadOnly, Role::Developer, Role::Admin, Role::Owner];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::ReadOnly => "read_only",
            Role::Developer => "developer",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }

    /// What it may do.
    pub fn permissions(self) -> Permissions {
        Permission::ALL.iter().copied().filter(|permission| permission.least() <= self).collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownName)
    }
}

/// What a project pays for; decides how many requests it may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Plan {
    /// The configured rate.
    Free,
    /// Ten times the configured rate.
    Team,
    /// A hundred times the configured rate.
    Scale,
}

impl Plan {
    /// Every plan there is.
    pub const ALL: [Plan; 3] = [Plan::Free, Plan::Team, Plan::Scale];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Plan::Free => "free",
            Plan::Team => "team",
            Plan::Scale => "scale",
        }
    }

    /// How many requests it allows where the smallest plan allows `base`.
    pub fn quota(self, base: u32) -> u32 {
        base.saturating_mul(match self {
            Plan::Free => 1,
            Plan::Team => 10,
            Plan::Scale => 100,
        })
    }
}

impl FromStr for Plan {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == text).ok_or(UnknownName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_what_the_one_below_has_and_more() {
        for pair in Role::ALL.windows(2) {
            let (below, above) = (pair[0].permissions(), pair[1].permissions());
            assert!(below.beyond(above).is_empty(), "{} lacks something of {}", pair[1], pair[0]);
            assert!(!above.beyond(below).is_empty(), "{} has nothing over {}", pair[1], pair[0]);
        }
        assert_eq!(Role::Owner.permissions().iter().count(), Permission::ALL.len());
    }

    #[test]
    fn what_concerns_people_is_no_scope() {
        let all = Permissions::from_names(&["*".to_owned()]);
        assert!(all.allow(Permission::AgentsWrite) && !all.allow(Permission::MembersWrite));
        let asked = ["agents:read", "members:write", "of a newer build"].map(str::to_owned);
        assert_eq!(Permissions::from_names(&asked).names(), ["agents:read"]);
    }
}
