//! What of a request the extractors read.

use axum::http::{HeaderMap, HeaderValue, request::Parts};
use kernel::{
    Code, Error, Result,
    caller::{Actor, Plan, RequestContext},
    crypto::PublicKey,
    ids::ProjectId,
    signature::{Headers, Origin, Proof, RequestParts, Signature, check_content_digest, digest_missing},
};

use super::bearer::{Credential, credential};
use crate::{edge::Meter, state::AppState};

/// Whether the request claims to be signed.
pub(super) fn is_signed(parts: &Parts) -> bool {
    parts.headers.contains_key("signature-input") || parts.headers.contains_key("signature")
}

/// The project that the `Holdfast-Project` header names.
pub(super) fn header_project(parts: &Parts) -> Result<Option<ProjectId>> {
    let named = parts.headers.get("holdfast-project").map(|value| {
        value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
            let detail = "`Holdfast-Project` must be a project's id, prj_ and 32 hexadecimal digits";
            Error::new(Code::MalformedRequest, detail)
        })
    });
    named.transpose()
}

/// The project that a request names beside its signature: by its API key, or by the header.
pub(super) async fn named_project(parts: &Parts, state: &AppState) -> Result<Option<ProjectId>> {
    let of_key = match credential(parts, state).await? {
        Some(Credential::Key(_, known)) => Some(known.project),
        Some(Credential::Person(_)) | None => None,
    };
    match (of_key, header_project(parts)?) {
        (Some(key), Some(header)) if key != header => {
            Err(Error::new(Code::Forbidden, "The API key is not of the project that `Holdfast-Project` names"))
        }
        (key, header) => Ok(key.or(header)),
    }
}

/// A signature whose reach and age were checked, but not yet its key. `has_body` says whether there is a body that it must cover.
pub(super) fn signature(parts: &Parts, state: &AppState, has_body: bool) -> Result<Signature> {
    with_parts(parts, &state.origin, has_body, |request| {
        let signature = Signature::parse(request)?;
        if has_body && request.header("content-digest")?.is_none() {
            return Err(digest_missing());
        }
        signature.check(request, state.core.clock.now())?;
        Ok(signature)
    })
}

/// Verifies `signature` under `key`.
pub(super) fn verify(
    parts: &Parts,
    state: &AppState,
    has_body: bool,
    signature: &Signature,
    key: &PublicKey,
) -> Result<Proof> {
    with_parts(parts, &state.origin, has_body, |request| signature.verify(request, key))
}

/// That the body is the one whose digest was signed.
pub(super) fn digest(parts: &Parts, state: &AppState, body: &[u8]) -> Result<()> {
    if body.is_empty() && !parts.headers.contains_key("content-digest") {
        return Ok(());
    }
    with_parts(parts, &state.origin, !body.is_empty(), |request| check_content_digest(request, body))
}

fn with_parts<T>(parts: &Parts, origin: &Origin, has_body: bool, then: impl FnOnce(&RequestParts<'_>) -> T) -> T {
    // Behind the version prefixes axum shows handlers a shorter path; the client signed the whole one.
    let uri = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |original| &original.0);
    then(&RequestParts {
        origin,
        method: parts.method.as_str(),
        path: uri.path(),
        query: uri.query(),
        headers: &Sent(&parts.headers),
        has_body,
    })
}

struct Sent<'a>(&'a HeaderMap);

impl Headers for Sent<'_> {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        self.0.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    }
}

/// What the layers in front noted of this request.
pub(super) fn context(parts: &Parts) -> RequestContext {
    parts.extensions.get::<RequestContext>().cloned().unwrap_or_default()
}

/// Counts the request for whom it proved to come from, against the quota of the project's plan.
///
/// # Errors
/// [`Code::RateLimited`].
pub(super) async fn count(parts: &Parts, state: &AppState, actor: Actor, plan: Plan) -> Result<()> {
    let meter = parts.extensions.get::<Meter>().cloned().unwrap_or_default();
    meter.take(state, actor, plan.quota(state.about.rate_limit)).await
}
