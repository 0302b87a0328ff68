//! The sessions of a person.

use axum::extract::State;
use domain::identity::sessions::{self, Session};
use kernel::ids::SessionId;

use crate::{
    auth::LoggedIn,
    extract::{List, Path},
    problem::Problem,
    reply::{Listed, NoContent},
    state::AppState,
};

/// List sessions
///
/// The sessions of the person, newest first.
#[utoipa::path(get, path = "/auth/sessions", tag = "sessions")]
pub async fn list_sessions(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    list: List,
) -> Result<Listed<Session>, Problem> {
    Ok(list.reply(sessions::list(&state.core, &person, list.page).await?))
}

/// Revoke a session
///
/// It ends on every replica within 5 seconds.
#[utoipa::path(delete, path = "/auth/sessions/{session}", tag = "sessions")]
pub async fn revoke_session(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(session): Path<SessionId>,
) -> Result<NoContent, Problem> {
    sessions::revoke(&state.core, &person, session).await?;
    Ok(NoContent)
}

/// Revoke all other sessions
///
/// They end on every replica within 5 seconds.
#[utoipa::path(delete, path = "/auth/sessions", tag = "sessions")]
pub async fn revoke_other_sessions(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
) -> Result<NoContent, Problem> {
    sessions::revoke_others(&state.core, &person).await?;
    Ok(NoContent)
}
