//! The problems that an operation can answer with, and the headers that every answer carries.

use std::collections::BTreeMap;

use kernel::Code;
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, KnownFormat, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
    SchemaFormat, schema::Type,
};

use super::{
    attributes::Attributes,
    operation_doc::{Parts, text_header},
};
use crate::problem::{PROBLEM_JSON, status};

/// The codes of the edge. A probe meets only the first of them.
const EDGE_ERRORS: [Code; 4] = [Code::Internal, Code::Unavailable, Code::Overloaded, Code::RateLimited];

/// Adds the edge's codes, an answer for each status that the operation's codes have, and the
/// headers of every answer.
pub(super) fn complete(parts: &mut Parts, attributes: Attributes) {
    parts.inherited.extend(if attributes.probe { &EDGE_ERRORS[..1] } else { &EDGE_ERRORS[..] });
    // Explicitly: callers prove nothing, and need to prove nothing.
    parts.operation.security.get_or_insert_default();
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    // The order is that of the catalog.
    for code in Code::ALL.iter().filter(|code| parts.inherited.contains(code) || parts.own.contains(code)) {
        by_status.entry(status(*code).as_u16()).or_default().push(*code);
    }
    let responses = &mut parts.operation.responses.responses;
    for (status, codes) in by_status {
        responses.entry(status.to_string()).or_insert_with(|| problem(&codes).into());
    }
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            add_headers(response, attributes);
        }
    }
}

fn problem(codes: &[Code]) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let names = codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(", ");
    let mut response = ResponseBuilder::new().description(names).content(PROBLEM_JSON, content);
    let waits = [Code::RateLimited, Code::Unavailable, Code::Overloaded, Code::IdempotencyInFlight];
    if codes.iter().any(|code| waits.contains(code)) {
        response = response.header("Retry-After", seconds("Seconds to wait"));
    }
    response.build()
}

fn add_headers(response: &mut Response, attributes: Attributes) {
    let mut add =
        |name: &str, description| response.headers.insert(name.to_owned(), text_header(description).into());
    add("X-Request-Id", "Names this request in the logs");
    if !attributes.probe {
        add("RateLimit-Policy", "The quota, such as \"default\";q=100;w=60");
        add("RateLimit", "What is left of the quota, such as \"default\";r=50;t=30");
    }
}

fn seconds(description: &str) -> Header {
    let kind = SchemaFormat::KnownFormat(KnownFormat::Int32);
    let schema = ObjectBuilder::new().schema_type(Type::Integer).format(Some(kind));
    let schema = schema.minimum(Some(0)).maximum(Some(86_400));
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
