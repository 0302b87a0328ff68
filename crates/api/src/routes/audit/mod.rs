//! `/v1/organizations/{organization}/audit-events` and `/v1/me/audit-events`: who did what.

mod export;
mod list;

use domain::audit::FILTER_ERRORS;

use crate::{operation, route::Routes};

/// The routes of the audit log.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(list::list_audit_events, FILTER_ERRORS))
        .add(operation!(export::export_audit_events, FILTER_ERRORS))
        .add(operation!(list::list_my_audit_events, FILTER_ERRORS))
}
