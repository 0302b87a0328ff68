//! Members of an organisation. Nobody deals with roles above their own, so only owners touch owners; and there is always one.

mod change;
mod get;
mod remove;
pub(super) mod store;

pub use change::change;
pub use get::{get, list};
pub use remove::remove;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use crate::mail::Email;
use kernel::{
    caller::Role,
    db::Tx,
    error::{Code, Error, Result},
    ids::{OrganizationId, UserId},
};

/// A person in an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow, ToSchema)]
pub struct Membership {
    /// Who.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    #[schema(value_type = String, format = "email")]
    pub email: Email,
    /// What they are in it.
    pub role: Role,
    /// Grows by one with each change; the `ETag` is made of it.
    pub version: i32,
    /// Since when.
    pub joined_at: DateTime<Utc>,
}

/// What a member is to be.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// The role; not above the caller's own.
    pub role: Role,
}

/// That an owner can go. The transaction was begun by [`enter_alone`](super::enter_alone), so that two who go at once are counted.
async fn spare_owner(tx: &mut Tx, organization: OrganizationId) -> Result<()> {
    if store::count_owners(tx, organization).await? > 1 {
        return Ok(());
    }
    Err(Error::new(Code::LastOwner, "This is the organisation's only owner; make another member an owner first"))
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no member of that id in this organisation")
}
