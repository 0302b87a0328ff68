//! The version that a change is based on: `If-Match` (RFC 9110, section 13.1), so that nobody
//! overwrites a change that they have not seen.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use kernel::{Code, Error, Result, version::Expected};
use utoipa::openapi::{ObjectBuilder, schema::Type};

use crate::{
    problem::Problem,
    route::{Describe, OperationDoc},
};

/// The `If-Match` that a change must carry.
#[derive(Debug)]
pub struct IfMatch(pub Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(expected(parts)?))
    }
}

impl Describe for IfMatch {
    fn describe(doc: &mut OperationDoc) {
        let schema = ObjectBuilder::new().schema_type(Type::String);
        let schema = schema.max_length(Some(64)).pattern(Some("^(\\*|\"v[0-9]+\")$"));
        let detail = "The `ETag` of what the change was made from, or `*` to change it as it is.";
        doc.header("If-Match", true, detail, schema);
        doc.codes(&[Code::PreconditionRequired]);
    }
}

fn expected(parts: &Parts) -> Result<Expected> {
    let mut sent = parts.headers.get_all(header::IF_MATCH).iter();
    let Some(value) = sent.next() else {
        let detail = "Send the `ETag` of what you mean to change as `If-Match`, or `*` to change it as it is";
        return Err(Error::new(Code::PreconditionRequired, detail));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Expected::Any);
    }
    let version =
        text.strip_prefix("\"v").and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    match version {
        Some(version) if sent.next().is_none() => Ok(Expected::Version(version)),
        // A tag that was never ours matches nothing, and a weak one never matches (RFC 9110,
        // section 13.1.1).
        _ => Ok(Expected::Version(0)),
    }
}
