//! The headers of every response.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// OWASP's headers for an API. A route that serves a page brings its own policy, and one whose
/// response may be cached says so.
const EVERY_RESPONSE: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
];

/// Returns the headers of every response, for the one that passes no layer.
pub fn every_response() -> HeaderMap {
    EVERY_RESPONSE.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// Adds the headers of every response, where the route did not set them itself.
pub(super) fn complete(response: &mut Response) {
    for (name, value) in EVERY_RESPONSE {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Sets the request's id in the response.
pub fn set_request_id(response: &mut Response, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
}
