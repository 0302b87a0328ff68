//! Answers one request.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::Full;
use kernel::{Code, Error, Result};
use rmcp::{
    ErrorData,
    model::{JsonRpcError, RequestId},
};

use super::{
    call::Call,
    message::Message,
    server::{Service, VERSIONS},
};
use crate::{
    auth::{ProjectCaller, RawBody},
    extract,
    problem::Problem,
    reply::set_replayed,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The types that rmcp requires clients to accept. All of them get JSON.
const JSON_AND_STREAM: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Hands the request to rmcp, with the caller and the arguments beside it.
pub(super) async fn answer(service: &Service, request: RawBody<ProjectCaller>) -> Result<Response, Problem> {
    let RawBody { caller: ProjectCaller(principal), mut parts, bytes } = request;
    check(&parts)?;
    let Message { id, body, arguments } = match Message::read(bytes) {
        Ok(message) => message,
        Err((id, error)) => return Ok(refusal(id, error)),
    };
    let call = Arc::new(Call::new(principal, arguments));
    parts.extensions.insert(Arc::clone(&call));
    // The header has served its purpose, and must not appear in any log.
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.insert(header::ACCEPT, JSON_AND_STREAM);
    parts.headers.insert(header::CONTENT_TYPE, JSON);
    let response = service.handle(Request::from_parts(parts, Full::new(body))).await;
    let mut response = in_our_words(response.map(Body::new), id)?;
    if call.is_replayed() {
        set_replayed(&mut response);
    }
    Ok(response)
}

fn check(parts: &Parts) -> Result<()> {
    extract::check_json(&parts.headers)?;
    // Clients send the same headers with each message. A key that was ignored would promise more
    // than we keep.
    if parts.headers.contains_key("idempotency-key") {
        let detail = "Over MCP the key is an argument of the tool, `idempotency_key`, and not a header";
        return Err(Error::new(Code::MalformedRequest, detail));
    }
    Ok(())
}

/// Passes rmcp's answers in JSON on as they are, and puts those in plain text into our words.
fn in_our_words(response: Response, id: Option<RequestId>) -> Result<Response, Problem> {
    if response.headers().get(header::CONTENT_TYPE) == Some(&JSON) {
        return Ok(response);
    }
    match response.status() {
        StatusCode::FORBIDDEN => {
            let detail = "`Host` must be that of PUBLIC_URL, and `Origin`, where there is one, of \
                PUBLIC_URL, APP_URL or CORS_ORIGINS";
            Err(Error::new(Code::OriginRefused, detail).into())
        }
        StatusCode::BAD_REQUEST => {
            let versions = VERSIONS.each_ref().map(|version| version.as_str()).join(", ");
            let detail = format!("`MCP-Protocol-Version` must be one of {versions}, and `Host` a host");
            Err(Error::new(Code::MalformedRequest, detail).into())
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Ok(refusal(id, ErrorData::invalid_request("The message is none that MCP knows", None)))
        }
        _ => Ok(response),
    }
}

/// Returns the response to a message that cannot be taken, as JSON-RPC has it, which its sender
/// speaks.
fn refusal(id: Option<RequestId>, error: ErrorData) -> Response {
    let body = serde_json::to_vec(&JsonRpcError::new(id, error)).unwrap_or_default();
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, JSON)], Bytes::from(body)).into_response()
}
