//! A page of a list as a reply, with its `Link` (RFC 8288).

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use kernel::page::Page;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{
        ArrayBuilder, ContentBuilder, ObjectBuilder, ResponseBuilder,
        schema::{SchemaType, Type},
    },
};

use crate::route::{Describe, OperationDoc};

/// A page (200), and the link to the next one.
#[derive(Debug)]
pub struct Listed<T> {
    page: Page<T>,
    link: Option<HeaderValue>,
}

impl<T> Listed<T> {
    /// Shows a page. A `link` that cannot be a header is left out.
    pub fn new(page: Page<T>, link: Option<String>) -> Self {
        Self { page, link: link.and_then(|link| link.parse().ok()) }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.page).into_response();
        if let Some(link) = self.link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

impl<T: ToSchema> Describe for Listed<T> {
    fn describe(doc: &mut OperationDoc) {
        let row = doc.schema::<T>();
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("The `cursor` of the next page; null on the last."));
        let page = ObjectBuilder::new()
            .property("data", ArrayBuilder::new().items(row).description(Some("The rows.")))
            .property("next_cursor", cursor)
            .required("data")
            .required("next_cursor");
        let page = doc.named_schema(&format!("{}Page", T::name()), page.into());
        let content = ContentBuilder::new().schema(Some(page)).build();
        doc.response(200, ResponseBuilder::new().description("A page").content("application/json", content));
        doc.answer_header("Link", "The next page (RFC 8288)");
    }
}
