//! Versions of what can be edited: `ETag` in answers, `If-Match` in requests (RFC 9110, sections 8.8 and 13.1), so that nobody writes over a change
//! they have not seen.

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use kernel::{Code, Error, Result, version::Expected};
use serde::Serialize;

use crate::problem::Problem;

/// Something that has a version.
pub trait Versioned {
    /// It grows by one with each change.
    fn version(&self) -> i32;
}

/// An answer with its `ETag`.
#[derive(Debug)]
pub struct Tagged<T>(pub StatusCode, pub T);

impl<T: Versioned + Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let tag = HeaderValue::from_str(&format!("\"v{}\"", self.1.version()));
        let mut response = (self.0, Json(self.1)).into_response();
        if let Ok(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// The `If-Match` that a change must carry.
#[derive(Debug)]
pub struct IfMatch(pub Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(expected(parts)?))
    }
}

fn expected(parts: &Parts) -> Result<Expected> {
    let mut sent = parts.headers.get_all(header::IF_MATCH).iter();
    let Some(value) = sent.next() else {
        let detail = "Send the `ETag` of what you mean to change as `If-Match`, or `*` to change it as it is";
        return Err(Error::new(Code::PreconditionRequired, detail));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Expected::Any);
    }
    let version = text.strip_prefix("\"v").and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    match version {
        Some(version) if sent.next().is_none() => Ok(Expected::Version(version)),
        // A tag that was never ours matches nothing; weak ones never do (RFC 9110, section 13.1.1).
        _ => Ok(Expected::Version(0)),
    }
}
