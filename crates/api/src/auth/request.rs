//! The parts of a request that every extractor reads.

use axum::http::request::Parts;
use kernel::{
    Code, Error, Result,
    caller::{Actor, Plan, RequestContext},
    ids::ProjectId,
};

use crate::{edge::Meter, state::AppState};

/// Returns the project that the `Holdfast-Project` header names.
pub(super) fn header_project(parts: &Parts) -> Result<Option<ProjectId>> {
    let named = parts.headers.get("holdfast-project").map(|value| {
        value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            let detail = "`Holdfast-Project` must be a project's id, prj_ and 32 hexadecimal digits";
            Error::new(Code::MalformedRequest, detail)
        })
    });
    named.transpose()
}

/// Returns the context that the layers in front noted for this request.
pub(super) fn context(parts: &Parts) -> RequestContext {
    parts.extensions.get::<RequestContext>().cloned().unwrap_or_default()
}

/// Counts the request for the proved caller, against the quota of the project's plan.
///
/// # Errors
/// [`Code::RateLimited`].
pub(super) async fn count(parts: &Parts, state: &AppState, actor: Actor, plan: Plan) -> Result<()> {
    let meter = parts.extensions.get::<Meter>().cloned().unwrap_or_default();
    meter.take(state, actor, plan.quota(state.about.rate_limit)).await
}
