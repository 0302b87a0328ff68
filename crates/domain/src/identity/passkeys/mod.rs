//! Passkeys (W3C WebAuthn Level 3): login with a key that a device keeps, without a password.
//!
//! A ceremony takes two requests, which may reach two replicas: the state between them is in
//! Postgres, consumed once and valid for five minutes.

mod list;
mod login;
mod model;
mod party;
mod register;
mod remove;
mod store;

pub use list::list;
pub use login::{FINISH_LOGIN_ERRORS, Login, begin_login, finish_login};
pub use model::{Begun, MAX_PASSKEYS, Passkey};
pub use party::RelyingParty;
pub use register::{
    BEGIN_REGISTRATION_ERRORS, FINISH_REGISTRATION_ERRORS, Registration, begin_registration,
    finish_registration,
};
pub use remove::{REMOVE_ERRORS, remove};
pub(super) use store::prune_ceremonies;
