//! Rules that changing and removing members share.

use kernel::{
    Unit,
    error::{Code, Error, Result},
    ids::OrganizationId,
};

use super::store;

/// Requires that an owner can leave. The unit holds the organization's lock, so that two owners who
/// leave at once are counted.
pub(super) async fn require_other_owner(unit: &mut Unit<'_>, organization: OrganizationId) -> Result<()> {
    if store::count_owners(unit, organization).await? > 1 {
        return Ok(());
    }
    Err(Error::new(
        Code::LastOwner,
        "This is the organization's only owner; make another member an owner first",
    ))
}

/// Returns the error for a person who is no member.
pub(super) fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no member of that id in this organization")
}
