//! Sessions: a login and all that followed from it, kept alive by refresh tokens that are good for one use.
//!
//! ```text
//! login ──▶ session ──refresh──▶ (token spent, a new one) ──…──▶ 30 days without use, logout or revocation: the end
//!                      └─ a spent token comes back: stolen from its holder or by them. The session ends.
//! ```

mod list;
mod login;
mod refresh;
mod revoke;
pub(super) mod store;
mod token;

pub use list::{Session, list};
pub(super) use login::open;
pub use login::{Login, login};
pub use refresh::refresh;
pub use revoke::{logout, revoke, revoke_others};
pub use token::{NotARefreshToken, RefreshToken};

use chrono::TimeDelta;

use kernel::ids::{SessionId, UserId};

/// How long a session lives after its last use.
pub const LIFETIME: TimeDelta = TimeDelta::days(30);
/// How long after its use a token may come again from the same client: an answer that got lost is asked for again.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// A session that was opened or kept alive, and what keeps it alive next time.
#[derive(Debug)]
pub struct Opened {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// Its next refresh token, told this once.
    pub refresh: RefreshToken,
}
