//! Text as a reply.

use axum::response::{IntoResponse, Response};

use super::content::Content;
use crate::route::{Describe, OperationDoc};

/// Plain text (200).
#[derive(Debug)]
pub struct Text(pub String);

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl Describe for Text {
    fn describe(doc: &mut OperationDoc) {
        let response = String::response(doc, "OK");
        doc.response(200, response);
    }
}
