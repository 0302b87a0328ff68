//! Replies to requests that may be sent twice.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{
    Code,
    answer::{Answer, Resource},
};
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, schema::Type},
};

use super::found::{JSON, etag};
use crate::route::{Describe, OperationDoc};

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Something was created (201).
#[derive(Debug)]
pub struct Created<T>(pub Answer<T>);

/// Something will be done (202).
#[derive(Debug)]
pub struct Accepted<T>(pub Answer<T>);

/// Something was created (201), or stood already and was changed (200).
#[derive(Debug)]
pub struct Upserted<T>(pub Answer<T>);

macro_rules! answered {
    ($($reply:ident: $($status:literal $description:literal),*;)*) => {
        $(
            impl<T> IntoResponse for $reply<T> {
                fn into_response(self) -> Response {
                    respond(&self.0)
                }
            }

            impl<T: Resource + ToSchema> Describe for $reply<T> {
                fn describe(doc: &mut OperationDoc) {
                    $(doc.responds::<T>($status, $description);)*
                    describe::<T>(doc);
                }
            }
        )*
    };
}

answered! {
    Created: 201 "Created";
    Accepted: 202 "Accepted";
    Upserted: 201 "Created", 200 "Changed";
}

fn respond<T>(answer: &Answer<T>) -> Response {
    let head = answer.head();
    let status = StatusCode::from_u16(head.status).unwrap_or(StatusCode::OK);
    let mut response = (status, JSON, answer.body().clone()).into_response();
    let headers = response.headers_mut();
    if let Some(location) = head.location.as_deref().and_then(|location| HeaderValue::from_str(location).ok())
    {
        headers.insert(header::LOCATION, location);
    }
    if let Some(tag) = head.version.and_then(etag) {
        headers.insert(header::ETAG, tag);
    }
    if answer.is_replayed() {
        set_replayed(&mut response);
    }
    response
}

/// Marks the response as one that was given before, with nothing done now.
pub fn set_replayed(response: &mut Response) {
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
}

fn describe<T: Resource>(doc: &mut OperationDoc) {
    if T::LOCATED {
        doc.answer_header("Location", "Where to get it");
    }
    if T::VERSIONED {
        doc.answer_header("ETag", "Its version");
    }
    doc.answer_header("Idempotency-Replayed", "`true` when this is the first answer, given again");
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(257))
        .pattern(Some("^(\"[!#-~]{1,255}\"|[!#-~]{1,255})$"));
    let detail = "Any text of the client's own, such as a UUID, bare or in double quotes. For 24 hours the \
        same request with it gets the first answer again, with `Idempotency-Replayed: true`.";
    doc.header("Idempotency-Key", false, detail, schema);
    doc.codes(&[Code::IdempotencyInFlight, Code::IdempotencyKeyReused, Code::MalformedRequest]);
}
