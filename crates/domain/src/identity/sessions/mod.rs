//! Sessions: a login and all that followed from it, kept alive by refresh tokens that are good for
//! one use.
//!
//! ```text
//! login ──▶ session ──refresh──▶ (token rotated) ──…──▶ 30 days without use, logout or revocation
//!                       └─ a rotated token comes back: stolen from its holder, or by the sender.
//!                          The session ends.
//! ```

mod limits;
mod list;
mod login;
mod model;
mod open;
mod refresh;
mod revoke;
mod store;
mod token;

pub use limits::LIFETIME;
pub use list::list;
pub use login::{LOGIN_ERRORS, Login, login};
pub use model::{Opened, Session};
pub(super) use open::open;
pub use refresh::{REFRESH_ERRORS, refresh};
pub(super) use revoke::revoke_all_of;
pub use revoke::{REVOKE_ERRORS, logout, revoke, revoke_others};
pub(super) use store::{find_all_of, is_live, prune, prune_tokens};
pub use token::{NotARefreshToken, RefreshToken};
