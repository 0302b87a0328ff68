//! Invitations, by which people become members. The mail carries a token; the account that accepts
//! must have the address that it was sent to.

mod accept;
mod create;
mod get;
mod limits;
mod model;
mod resend;
mod revoke;
mod store;

pub use accept::{ACCEPT_ERRORS, accept};
pub use create::{CREATE_ERRORS, create};
pub use get::list;
pub use limits::{LIFETIME, MAX_OPEN};
pub use model::{Acceptance, Invitation, InvitationRequest};
pub use resend::{RESEND_ERRORS, resend};
pub(super) use revoke::revoke_all_of;
pub use revoke::{REVOKE_ERRORS, revoke};
