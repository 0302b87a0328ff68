//! The one table of permissions, with the lowest role that has each.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Role, UnknownName};

/// Defines the permissions: name in code, name on the wire, and the lowest role that has it. Every
/// role has the permissions of those below it.
macro_rules! permissions {
    ($($name:ident = $wire:literal, $min_role:ident, $doc:literal;)*) => {
        /// A permission. On the wire, and as a scope of an API key, `<noun>:<verb>`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Permission {
            $(#[doc = $doc] #[serde(rename = $wire)] $name,)*
        }

        impl Permission {
            /// All permissions.
            pub const ALL: &'static [Permission] = &[$(Permission::$name,)*];

            /// Returns the name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Permission::$name => $wire,)* }
            }

            /// Returns the lowest role that has it.
            pub fn min_role(self) -> Role {
                match self { $(Permission::$name => Role::$min_role,)* }
            }
        }

        /// Each permission as a type, so that a signature can ask for it: see
        /// [`Authorized`](super::Authorized).
        pub mod allow {
            use super::{Allows, Permission};

            $(
                #[doc = $doc]
                #[derive(Debug, Clone, Copy, PartialEq, Eq)]
                pub struct $name;

                impl Allows for $name {
                    const PERMISSION: Permission = Permission::$name;
                }
            )*
        }
    };
}

/// A permission as a type; the types are in [`allow`].
pub trait Allows: Send + Sync + 'static {
    /// The permission.
    const PERMISSION: Permission;
}

permissions! {
    AgentsRead = "agents:read", ReadOnly, "See the registry.";
    AgentsWrite = "agents:write", Developer, "Register and remove agents.";
    IntentsRead = "intents:read", ReadOnly, "See the project's intents.";
    IntentsWrite = "intents:write", Developer, "Send and settle intents.";
    VaultRead = "vault:read", ReadOnly, "See the vault's seals, and have them proved.";
    VaultWrite = "vault:write", Developer, "Append seals to the vault.";
    VaultErase = "vault:erase", Admin, "Erase the personal data of a subject from the vault.";
    VaultDecide = "vault:decide", Admin, "Approve and reject the vault's proposals.";
    KeysRead = "keys:read", Developer, "See API keys, without their secrets.";
    KeysWrite = "keys:write", Developer, "Create, rotate and revoke API keys.";
    ProjectRead = "project:read", ReadOnly, "See projects.";
    ProjectWrite = "project:write", Admin, "Create and change projects.";
    MembersRead = "members:read", ReadOnly, "See who is a member, and who was invited.";
    MembersWrite = "members:write", Admin, "Invite, change and remove members.";
    OrganizationWrite = "organization:write", Owner, "Change the organization.";
    AuditRead = "audit:read", Owner, "See and export the audit log.";
}

impl Permission {
    /// Returns true when a project's API key can have it as a scope. Permissions about people and
    /// organizations take a person.
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
