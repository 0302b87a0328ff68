//! Plain JSON as a reply.

use axum::Json;
use utoipa::ToSchema;

use super::content::Content;
use crate::route::{Describe, OperationDoc};

impl<T: ToSchema> Describe for Json<T> {
    fn describe(doc: &mut OperationDoc) {
        let response = Self::response(doc, "OK");
        doc.response(200, response);
    }
}
