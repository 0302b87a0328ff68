//! A permission that was checked, as a type.

use std::{fmt, marker::PhantomData, ops::Deref};

use super::{Allows, HasPermissions, HasRequest, Principal, RequestContext};
use crate::error::Result;

/// A caller that has permission `P`, which one of the types in [`allow`](super::allow) names. Made
/// by [`Authorized::check`] alone, so that a use case which asks for it cannot be called without
/// the check.
pub struct Authorized<P, W = Principal> {
    who: W,
    permission: PhantomData<fn() -> P>,
}

impl<P: Allows, W: HasPermissions> Authorized<P, W> {
    /// Checks that `who` has the permission.
    ///
    /// # Errors
    /// [`Code::PermissionMissing`](crate::Code::PermissionMissing).
    pub fn check(who: W) -> Result<Self> {
        who.permissions().require(P::PERMISSION)?;
        Ok(Self { who, permission: PhantomData })
    }
}

impl<P, W: HasRequest> HasRequest for Authorized<P, W> {
    fn request_mut(&mut self) -> &mut RequestContext {
        self.who.request_mut()
    }
}

impl<P, W> Deref for Authorized<P, W> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.who
    }
}

impl<P, W: Clone> Clone for Authorized<P, W> {
    fn clone(&self) -> Self {
        Self { who: self.who.clone(), permission: PhantomData }
    }
}

impl<P: Allows, W: fmt::Debug> fmt::Debug for Authorized<P, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&P::PERMISSION).field(&self.who).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Code,
        caller::{Permissions, allow},
        ids::ProjectId,
    };

    #[test]
    fn a_caller_without_the_permission_is_refused_by_its_name() {
        let all = Principal::system(ProjectId::from(uuid::Uuid::nil()));
        let none = Principal { permissions: Permissions::default(), ..all.clone() };
        assert!(Authorized::<allow::VaultWrite>::check(all).is_ok());
        let refused = Authorized::<allow::VaultWrite>::check(none).unwrap_err();
        assert!(refused.code() == Code::PermissionMissing && refused.detail().contains("`vault:write`"));
    }
}
