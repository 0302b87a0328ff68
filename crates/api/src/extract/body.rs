//! Reads a body.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use kernel::{Code, Error, Result, text::excerpt};
use serde::de::DeserializeOwned;

use super::serde_words;

/// The codes of a body that is read.
pub const BODY_ERRORS: &[Code] = &[Code::PayloadTooLarge, Code::RequestTimeout, Code::MalformedRequest];
/// The codes of a body that is read as JSON.
pub const JSON_ERRORS: &[Code] = &[
    Code::UnsupportedMediaType,
    Code::MalformedJson,
    Code::UnknownField,
    Code::MissingField,
    Code::WrongType,
];

/// The time that a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body that `with_limited_body` has limited.
///
/// # Errors
/// [`BODY_ERRORS`]; `MalformedRequest` when the connection broke.
pub async fn body_bytes(body: Body) -> Result<Bytes> {
    let collected = tokio::time::timeout(BODY_TIMEOUT, body.collect()).await.map_err(|_| {
        Error::new(
            Code::RequestTimeout,
            format!("The body must arrive within {} seconds", BODY_TIMEOUT.as_secs()),
        )
    })?;
    collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if is_over_limit(&error) {
            Error::new(Code::PayloadTooLarge, "The body is larger than this route takes")
        } else {
            Error::new(Code::MalformedRequest, "The body could not be read to its end")
        }
    })
}

/// Returns whether the limit is a cause of the body's error.
fn is_over_limit(error: &axum::Error) -> bool {
    let first: &dyn std::error::Error = error;
    std::iter::successors(Some(first), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

/// Reads `T` from a JSON body. An error names a wrong value by its place, as a JSON pointer.
///
/// # Errors
/// [`JSON_ERRORS`].
pub fn json<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T> {
    check_json(headers)?;
    read("The body", bytes)
}

/// Checks that the headers declare the body as JSON.
///
/// # Errors
/// [`Code::UnsupportedMediaType`].
pub fn check_json(headers: &HeaderMap) -> Result<()> {
    if is_json(headers) {
        return Ok(());
    }
    Err(Error::new(Code::UnsupportedMediaType, "Send the body as `Content-Type: application/json`"))
}

/// Reads `T` from an object in JSON, which errors call `what`.
///
/// # Errors
/// [`Code::MalformedJson`], [`Code::UnknownField`], [`Code::MissingField`], [`Code::WrongType`].
pub fn read<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let is_array = bytes.trim_ascii_start().starts_with(b"[");
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        match error.inner().is_data() {
            true if is_array => an_array(),
            _ => explain(what, &error),
        }
    })?;
    deserializer.end().map_err(|error| {
        Error::new(Code::MalformedJson, format!("{what} goes on after its JSON value: {error}"))
    })?;
    // serde also reads a struct's fields from an array, in their order.
    if is_array { Err(an_array()) } else { Ok(value) }
}

fn an_array() -> Error {
    Error::field(Code::WrongType, "", "expected an object, got a list")
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn explain(what: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let inner = error.inner();
    // serde describes the fault in words only; these are stable, and a test holds them.
    let text = excerpt(&inner.to_string(), 300);
    if !inner.is_data() || text.starts_with("duplicate field") {
        return Error::new(Code::MalformedJson, format!("{what} is not JSON: {text}"));
    }
    let place = pointer(error.path());
    if let Some(field) = quoted_after(&text, "missing field `") {
        return Error::field(Code::MissingField, format!("{place}/{field}"), "is required");
    }
    let code = if text.starts_with("unknown field") { Code::UnknownField } else { Code::WrongType };
    Error::field(code, place, serde_words::plain(&text))
}

fn quoted_after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.split('`').next()
}

/// Writes the path as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", excerpt(key, 64).replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Order {
        name: String,
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Line {
        count: u8,
    }

    fn read(body: &str) -> Error {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        json::<Order>(&headers, body.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_wrong_with_a_body_is_named_by_its_place() {
        for (body, code, pointer) in [
            (r#"{"name": 7, "lines": []}"#, Code::WrongType, "/name"),
            (r#"{"name": "x", "lines": [{"count": 1}, {"count": 256}]}"#, Code::WrongType, "/lines/1/count"),
            (r#"{"name": "x", "lines": [{}]}"#, Code::MissingField, "/lines/0/count"),
            (r#"{"lines": []}"#, Code::MissingField, "/name"),
            (r#"{"name": "x", "lines": [], "a~b/c": 1}"#, Code::UnknownField, "/a~0b~1c"),
            ("[]", Code::WrongType, ""),
            (r#"["x", []]"#, Code::WrongType, ""),
        ] {
            let error = read(body);
            assert_eq!(error.code(), code, "{body}: {error}");
            assert_eq!(error.field_errors()[0].pointer, pointer, "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [
            "",
            "{",
            "{\"name\": \"x\",}",
            r#"{"name": "x", "lines": []} 1"#,
            "nul",
            r#"{"name": "x", "name": "y", "lines": []}"#,
        ] {
            assert_eq!(read(body).code(), Code::MalformedJson, "{}", excerpt(body, 40));
        }
    }

    #[test]
    fn only_json_is_taken() {
        for (kind, taken) in [
            (None, false),
            (Some("text/plain"), false),
            (Some("application/jsonp"), false),
            (Some("application/json; charset=utf-8"), true),
            (Some("APPLICATION/JSON"), true),
            (Some("application/activity+json"), true),
        ] {
            let headers =
                kind.map(|kind| (header::CONTENT_TYPE, HeaderValue::from_static(kind))).into_iter().collect();
            let code = json::<Order>(&headers, b"{").unwrap_err().code();
            assert_eq!(
                code,
                if taken { Code::MalformedJson } else { Code::UnsupportedMediaType },
                "{kind:?}"
            );
        }
    }
}
