//! Lists of audit events.

use axum::extract::State;
use domain::audit::{self, Filter};
use kernel::{audit::Event, caller::allow};

use crate::{
    auth::{InOrganization, LoggedIn},
    extract::List,
    problem::Problem,
    reply::Listed,
    state::AppState,
};

/// List audit events
///
/// The events in the organization and in its projects, newest first. Requires an owner.
#[utoipa::path(get, path = "/organizations/{organization}/audit-events", tag = "audit")]
pub async fn list_audit_events(
    State(state): State<AppState>,
    InOrganization(by): InOrganization<allow::AuditRead>,
    list: List<Filter>,
) -> Result<Listed<Event>, Problem> {
    let page = audit::of_organization(&state.core, &by, &list.filter, list.page).await?;
    Ok(list.reply(page))
}

/// List the caller's audit events
///
/// The events that concern the caller's own account: logins, changes, and what others tried. Newest
/// first.
#[utoipa::path(get, path = "/me/audit-events", tag = "audit")]
pub async fn list_my_audit_events(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    list: List<Filter>,
) -> Result<Listed<Event>, Problem> {
    Ok(list.reply(audit::of_person(&state.core, &person, &list.filter, list.page).await?))
}
