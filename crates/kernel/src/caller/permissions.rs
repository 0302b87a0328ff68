//! Sets of permissions.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Permission, Role};
use crate::error::{Code, Error, Result};

/// The bits of a set.
type Bits = u128;

const _: () = assert!(Permission::ALL.len() <= Bits::BITS as usize, "a set has a bit for each permission");

/// A set of permissions; on the wire, their names.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "Vec<String>", from = "Vec<String>")]
pub struct Permissions(Bits);

impl Permissions {
    /// Returns the set of all permissions.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Returns the permissions of a role: those it is the lowest role for, and those of the roles
    /// below.
    pub fn of_role(role: Role) -> Self {
        Permission::ALL.iter().copied().filter(|permission| permission.min_role() <= role).collect()
    }

    /// Returns all permissions that a project's API key can have.
    pub fn scopes() -> Self {
        Permission::ALL.iter().copied().filter(|permission| permission.is_scope()).collect()
    }

    /// Returns the permissions that an agent has by its signature; in the registry, only over
    /// itself.
    pub fn agent() -> Self {
        use Permission as P;
        [P::AgentsRead, P::AgentsWrite, P::IntentsRead, P::IntentsWrite, P::VaultRead, P::VaultWrite]
            .into_iter()
            .collect()
    }

    /// Returns true when the set has `permission`.
    pub fn allow(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Returns the permissions in this set and not in `other`.
    pub fn difference(self, other: Permissions) -> Vec<Permission> {
        self.iter().filter(|permission| !other.allow(*permission)).collect()
    }

    /// Returns the permissions that are in both sets.
    #[must_use]
    pub fn intersection(self, other: Permissions) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the permissions in the set, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.allow(*permission))
    }

    /// Requires that the set has `permission`.
    ///
    /// # Errors
    /// [`Code::PermissionMissing`], which names the permission.
    pub fn require(self, permission: Permission) -> Result<()> {
        if self.allow(permission) {
            return Ok(());
        }
        let detail = format!("This takes the permission `{permission}`, which the caller does not have");
        Err(Error::new(Code::PermissionMissing, detail))
    }

    /// Reads the names that a column of the database holds; `*` stands for all scopes. Names that a
    /// newer build wrote allow nothing here.
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

    /// Returns the names, for the database and the wire.
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
        Self(permissions.into_iter().fold(0, |bits, permission| bits | bit(permission)))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

fn bit(permission: Permission) -> Bits {
    1 << (permission as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_what_the_one_below_has_and_more() {
        for pair in Role::ALL.windows(2) {
            let (below, above) = (Permissions::of_role(pair[0]), Permissions::of_role(pair[1]));
            assert!(below.difference(above).is_empty(), "{} lacks something of {}", pair[1], pair[0]);
            assert!(!above.difference(below).is_empty(), "{} has nothing over {}", pair[1], pair[0]);
        }
        assert_eq!(Permissions::of_role(Role::Owner), Permissions::all());
    }

    #[test]
    fn permissions_about_people_are_no_scopes() {
        let all = Permissions::from_names(&["*".to_owned()]);
        assert!(all.allow(Permission::AgentsWrite) && !all.allow(Permission::MembersWrite));
        let asked = ["agents:read", "members:write", "of a newer build"].map(str::to_owned);
        assert_eq!(Permissions::from_names(&asked).names(), ["agents:read"]);
    }
}
