//! Agents' signatures, as HTTP carries them.

use axum::http::{HeaderMap, HeaderValue, request::Parts};
use kernel::{
    Result,
    crypto::PublicKey,
    signature::{Headers, Origin, Proof, RequestParts, Signature, check_content_digest, digest_missing},
};

use crate::{edge::SentUri, state::AppState};

/// Returns whether the request claims to be signed.
pub(super) fn is_signed(parts: &Parts) -> bool {
    parts.headers.contains_key("signature-input") || parts.headers.contains_key("signature")
}

/// Reads a signature and checks what it covers and its age, but not yet its key. `has_body` tells
/// whether there is a body that it must cover.
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

/// Checks that the body is the one whose digest was signed.
pub(super) fn check_digest(parts: &Parts, state: &AppState, body: &[u8]) -> Result<()> {
    if body.is_empty() && !parts.headers.contains_key("content-digest") {
        return Ok(());
    }
    with_parts(parts, &state.origin, !body.is_empty(), |request| check_content_digest(request, body))
}

fn with_parts<T>(
    parts: &Parts,
    origin: &Origin,
    has_body: bool,
    then: impl FnOnce(&RequestParts<'_>) -> T,
) -> T {
    // The client signed the path as it sent it, whatever was changed since.
    let uri = parts.extensions.get::<SentUri>().map_or(&parts.uri, |sent| &sent.0);
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
