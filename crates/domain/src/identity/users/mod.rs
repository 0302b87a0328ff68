//! Accounts of people.

mod close;
mod erase;
mod export;
mod model;
mod password;
mod profile;
mod prune;
mod sign_up;
mod store;
mod verify;

pub use close::{CLOSE_ERRORS, RESTORE_ERRORS, close, restore};
pub use erase::erase_due;
pub use export::export;
pub(super) use model::Credentials;
pub use model::{
    Account, ChangePassword, ErasureReceipt, Export, ExportedEvent, ExportedMembership, ExportedPasskey,
    ProfilePatch, ResetPassword, SignUp,
};
pub use password::{CHANGE_ERRORS, FORGOT_ERRORS, RESET_ERRORS, change, forgot, reset};
pub use profile::{UPDATE_ERRORS, get, update};
pub use prune::prune;
pub use sign_up::{SEND_AGAIN_ERRORS, SIGN_UP_ERRORS, send_again, sign_up};
pub(super) use store::{find_by_email, find_by_id, lock_password, replace_password};
pub use verify::{VERIFY_ERRORS, Verification, verify};
