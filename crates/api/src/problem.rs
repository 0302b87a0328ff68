//! Errors on the wire: RFC 9457 problem details, made in one place.
//!
//! A handler's error becomes a [`Problem`], which carries the [`Error`] in the response's
//! extensions. The edge, which knows the request's id, turns it into the document. It does the same
//! for any other error response without a problem of ours, such as the router's 404 and 405, and a
//! body over its limit.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{
    Code, Error,
    error::{FieldError, Kind},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error on its way to the edge.
#[derive(Debug)]
pub struct Problem(Arc<Error>);

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = status(self.0.code()).into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

/// A problem as clients see it (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem, title = "Problem")]
pub struct Document<'a> {
    /// The address of the explanation of this kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems#lease_lost")]
    pub kind: String,
    /// The kind of problem, in words that do not change.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The fault of this request, and what to do about it.
    pub detail: &'a str,
    /// The stable name of the kind of problem, for programs.
    #[schema(example = "lease_lost")]
    pub code: &'static str,
    /// The name of this request in our logs.
    pub request_id: &'a str,
    /// The values that broke a rule.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    pub errors: &'a [FieldError],
}

/// Returns the status of a code. This is the one table of them.
pub fn status(code: Code) -> StatusCode {
    match code.kind() {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Timeout => StatusCode::REQUEST_TIMEOUT,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Gives an error response its document. Other responses, and those that are problems already, pass
/// through.
pub fn complete(response: Response, request_id: &str) -> Response {
    let carried = response.extensions().get::<Arc<Error>>().cloned();
    let error = match carried {
        Some(error) => error,
        None if is_bare_error(&response) => Arc::new(of_status(response.status())),
        None => return response,
    };
    log(&error, request_id);
    let status = status(error.code());
    let document = Document {
        kind: format!("/problems#{}", error.code().as_str()),
        title: error.code().title(),
        status: status.as_u16(),
        detail: error.detail(),
        code: error.code().as_str(),
        request_id,
        errors: error.field_errors(),
    };
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.status = status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    if let Some(wait) = error.wait() {
        let seconds = wait.as_secs().max(1);
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if error.code().kind() == Kind::Unauthenticated {
        parts.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer, Signature"));
        // The components that a signature must cover (RFC 9421, section 5).
        let accept = HeaderName::from_static("accept-signature");
        parts.headers.insert(
            accept,
            HeaderValue::from_static(r#"sig=("@method" "@target-uri" "content-digest");created;keyid;nonce"#),
        );
    }
    Response::from_parts(parts, Body::from(body))
}

/// Returns whether the response is an error of the router or a library, with or without a text.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_JSON.as_bytes()));
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    (status.is_client_error() || status.is_server_error()) && !is_problem && !is_json
}

fn of_status(status: StatusCode) -> Error {
    match status {
        StatusCode::NOT_FOUND => {
            Error::new(Code::NotFound, "There is no such path; /docs lists those there are")
        }
        StatusCode::METHOD_NOT_ALLOWED => Error::new(
            Code::MethodNotAllowed,
            "This path does not have that method; `Allow` lists those it has",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::new(Code::PayloadTooLarge, "The body is larger than this route takes")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Error::new(Code::UnsupportedMediaType, "Send the body as application/json")
        }
        StatusCode::REQUEST_TIMEOUT => {
            Error::new(Code::RequestTimeout, "The request took too long to arrive")
        }
        status if status.is_client_error() => {
            Error::new(Code::MalformedRequest, "The request cannot be read")
        }
        status => Error::internal(format!("a layer answered {status}")),
    }
}

/// Logs the inner cause, once. The caller never sees it.
pub fn log(error: &Error, request_id: &str) {
    let cause = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let cause = cause.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    match error.code().kind() {
        // An error report shows the event's own fields, and not those of the request's span.
        Kind::Internal => tracing::error!(request_id, cause, "a request failed"),
        Kind::Unavailable => tracing::warn!(code = error.code().as_str(), cause, "a request was turned away"),
        _ => {
            tracing::debug!(code = error.code().as_str(), cause, "a request was refused: {}", error.detail())
        }
    }
}
