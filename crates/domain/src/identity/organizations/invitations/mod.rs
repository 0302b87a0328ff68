//! Invitations: how people become members. The mail carries a token; who accepts must have the address that it was sent to.

mod accept;
mod create;
mod get;
mod resend;
mod revoke;
mod store;

pub use accept::{Acceptance, accept};
pub use create::{InvitationRequest, create};
pub use get::list;
pub use resend::resend;
pub use revoke::revoke;
pub(super) use revoke::revoke_of;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;

use crate::{identity::users::jobs::SendMail, mail::Email};
use kernel::{
    Core,
    caller::{Person, Role},
    db::Tx,
    error::{Code, Error, Result},
    ids::{InvitationId, UserId},
    queue::Enqueue,
};

/// How many open invitations an organisation can have.
pub const MAX_OPEN: i64 = 100;
/// How long one can be accepted.
pub const GOOD_FOR: TimeDelta = TimeDelta::days(7);

/// An invitation that is open: neither accepted nor revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow, ToSchema)]
pub struct Invitation {
    /// Its identifier.
    pub id: InvitationId,
    /// Who is invited.
    #[schema(value_type = String, format = "email")]
    pub email: Email,
    /// What they are to be.
    pub role: Role,
    /// Who invites them.
    pub invited_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// After which it cannot be accepted, unless it is sent again.
    pub expires_at: DateTime<Utc>,
}

/// Mails it, in the commit that says so.
async fn send(tx: &mut Tx, core: &Core, by: &Person, invitation: InvitationId) -> Result<()> {
    let traceparent = by.request.traceparent.as_deref();
    Enqueue::at(core.clock.now()).traceparent(traceparent).one(tx, &SendMail::Invitation { invitation }).await
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no open invitation of that id in this organisation")
}
