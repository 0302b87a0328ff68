//! The reply of an operation that is done later.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::route::{Describe, OperationDoc};

/// Something will be done (202); `T` describes it.
#[derive(Debug)]
pub struct Queued<T>(pub T);

impl<T: Serialize> IntoResponse for Queued<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

impl<T: ToSchema> Describe for Queued<T> {
    fn describe(doc: &mut OperationDoc) {
        doc.responds::<T>(202, "Accepted");
    }
}
