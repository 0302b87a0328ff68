//! The reply that shows a resource.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use kernel::{
    Result,
    answer::{Answer, Resource},
};
use utoipa::ToSchema;

use crate::route::{Describe, OperationDoc};

/// A resource as it stands (200), with its `ETag` where it has a version.
#[derive(Debug)]
pub struct Found<T>(Answer<T>);

impl<T: Resource> Found<T> {
    /// Shows a resource.
    ///
    /// # Errors
    /// `Internal` when it cannot be written as JSON.
    pub fn new(resource: &T) -> Result<Self> {
        Answer::ok(resource).map(Self)
    }
}

impl<T> IntoResponse for Found<T> {
    fn into_response(self) -> Response {
        let mut response = (JSON, self.0.body().clone()).into_response();
        if let Some(tag) = self.0.head().version.and_then(etag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

impl<T: Resource + ToSchema> Describe for Found<T> {
    fn describe(doc: &mut OperationDoc) {
        doc.responds::<T>(200, "OK");
        if T::VERSIONED {
            doc.answer_header("ETag", "Its version");
        }
    }
}

/// The header of a JSON body.
pub(super) const JSON: [(header::HeaderName, HeaderValue); 1] =
    [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];

/// Returns the `ETag` of a version (RFC 9110, section 8.8).
pub(super) fn etag(version: i32) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"v{version}\"")).ok()
}
