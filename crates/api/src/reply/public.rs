//! Replies for everybody: caches may keep them, and pages of any origin may read them.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::content::Content;
use crate::route::{Describe, OperationDoc};

/// A year, in seconds, for content that never changes.
pub const IMMUTABLE: u32 = 31_536_000;

/// A body (200) that caches may keep for `SECONDS`.
#[derive(Debug)]
pub struct Public<const SECONDS: u32, T>(pub T);

impl<const SECONDS: u32, T> Public<SECONDS, T> {
    fn cache_control() -> String {
        let immutable = if SECONDS == IMMUTABLE { ", immutable" } else { "" };
        format!("public, max-age={SECONDS}{immutable}")
    }
}

impl<const SECONDS: u32, T: IntoResponse> IntoResponse for Public<SECONDS, T> {
    fn into_response(self) -> Response {
        let everybody = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))];
        (everybody, [(header::CACHE_CONTROL, Self::cache_control())], self.0).into_response()
    }
}

impl<const SECONDS: u32, T: Content> Describe for Public<SECONDS, T> {
    fn describe(doc: &mut OperationDoc) {
        let response = T::response(doc, "OK");
        doc.response(200, response);
        doc.answer_header("Cache-Control", &format!("`{}`", Self::cache_control()));
    }
}
