//! The bodies of replies other than resources.

use axum::Json;
use utoipa::{
    ToSchema,
    openapi::{
        ContentBuilder, KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, response::ResponseBuilder,
        schema::Type,
    },
};

use crate::route::OperationDoc;

/// Something that is a body, and its media type.
pub trait Content {
    /// The media type in the document.
    const MEDIA_TYPE: &'static str;

    /// Returns its schema.
    fn schema(doc: &mut OperationDoc) -> RefOr<Schema>;

    /// Returns the response that carries it (200).
    fn response(doc: &mut OperationDoc, description: &str) -> ResponseBuilder {
        let content = ContentBuilder::new().schema(Some(Self::schema(doc))).build();
        ResponseBuilder::new().description(description).content(Self::MEDIA_TYPE, content)
    }
}

/// Plain text.
impl Content for String {
    const MEDIA_TYPE: &'static str = "text/plain";

    fn schema(_: &mut OperationDoc) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }
}

/// Bytes that are not text.
impl Content for Vec<u8> {
    const MEDIA_TYPE: &'static str = "application/octet-stream";

    fn schema(_: &mut OperationDoc) -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl<T: ToSchema> Content for Json<T> {
    const MEDIA_TYPE: &'static str = "application/json";

    fn schema(doc: &mut OperationDoc) -> RefOr<Schema> {
        doc.schema::<T>()
    }
}
