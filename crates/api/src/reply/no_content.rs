//! The reply of an operation that is done and has nothing to show.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use utoipa::openapi::ResponseBuilder;

use crate::route::{Describe, OperationDoc};

/// Done (204).
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Describe for NoContent {
    fn describe(doc: &mut OperationDoc) {
        doc.response(204, ResponseBuilder::new().description("Done"));
    }
}
