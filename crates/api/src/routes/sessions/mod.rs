//! `/v1/auth`: logging in, staying logged in, and logging out.

mod key_set;
mod list;
mod log_in;
mod refresh;
mod tokens;

use domain::identity::sessions::{LOGIN_ERRORS, REFRESH_ERRORS, REVOKE_ERRORS};
pub use tokens::{RefreshTokenIn, SessionReply};

use crate::{limits::SMALL_BODY, operation, route::Routes};

/// The routes of sessions, under the version prefix.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(log_in::log_in, LOGIN_ERRORS))
        .add(operation!(refresh::refresh_session, refresh::COOKIE_ERRORS, REFRESH_ERRORS))
        .add(operation!(refresh::log_out, refresh::COOKIE_ERRORS))
        .add(operation!(list::list_sessions))
        .add(operation!(list::revoke_session, REVOKE_ERRORS))
        .add(operation!(list::revoke_other_sessions))
        .body_limit(SMALL_BODY)
}

/// Returns the public keys, in the place where every verifier looks for them.
pub fn well_known() -> Routes {
    Routes::new().add(operation!(key_set::get_key_set).without_schema())
}
