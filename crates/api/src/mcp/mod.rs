//! `/mcp`: the vault's tools for language models, by the Model Context Protocol over streamable HTTP.
//!
//! rmcp speaks the protocol; everything else is as on any route. The caller is proved, counted and its body limited before rmcp sees the request, and
//! the tools call the use cases that the routes call. No session is kept: each request brings its credentials and is answered whole, in JSON, by whichever
//! replica it reaches.
//!
//! ```text
//! edge ▸ limits ▸ Raw<InProject> (key, token or signature; digest) ▸ message (one, no member twice) ▸ rmcp ▸ a tool ▸ vault
//! ```

mod message;
mod schema;
mod seal;
mod server;
mod tools;

use std::sync::Arc;

use adapters::settings::Environment;
use axum::{
    body::Body,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Request, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use bytes::Bytes;
use http_body_util::Full;
use kernel::{Code, Error, Result};
use rmcp::{
    ErrorData,
    model::{JsonRpcError, RequestId},
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, streamable_http_server::session::never::NeverSessionManager,
    },
};
use url::Url;

use self::{
    message::Message,
    server::{Asked, Server},
};
use crate::{
    auth::{InProject, Raw},
    extract,
    problem::Problem,
    state::AppState,
};

/// The largest message: a seal with its personal data, or a receipt, and room for what stands around them.
const BODY_LIMIT: usize = 256 * 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What rmcp wants to be accepted by clients, all of which get JSON.
const JSON_AND_STREAM: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

type Service = StreamableHttpService<Server, NeverSessionManager>;

/// The route. It has POST alone: there is no session to listen to or to end.
pub fn route(state: &AppState, cors_origins: &[String]) -> MethodRouter<AppState> {
    let server = Server::new(state.clone());
    let service = Service::new(move || Ok(server.clone()), Arc::default(), config(state, cors_origins));
    let answer = async move |raw: Raw<InProject>| answer(&service, raw).await;
    post(answer).layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// No sessions, no streams; and only under our own name, from pages that may call the API: a name that was pointed at this server by somebody else
/// (DNS rebinding) is refused.
fn config(state: &AppState, cors_origins: &[String]) -> StreamableHttpServerConfig {
    let mut hosts = vec![state.origin.authority().to_owned()];
    if state.about.environment == Environment::Development {
        hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    }
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None)
        .with_max_request_body_bytes(BODY_LIMIT)
        .with_allowed_hosts(hosts);
    if cors_origins.iter().any(|origin| origin == "*") {
        return config;
    }
    config
        .with_allowed_origins(state.about.cookie_origins.iter().filter_map(|origin| with_port(origin)))
        .enforce_origin_validation()
}

/// An origin with its port, for rmcp takes one without it for any port.
fn with_port(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    Some(format!("{}://{}:{}", url.scheme(), url.host_str()?, url.port_or_known_default()?))
}

async fn answer(service: &Service, Raw { caller, mut parts, bytes }: Raw<InProject>) -> Result<Response, Problem> {
    check(&parts)?;
    let Message { id, body, arguments } = match Message::read(bytes) {
        Ok(message) => message,
        Err((id, error)) => return Ok(refusal(id, error)),
    };
    let InProject { principal, proof } = caller;
    let replayed = parts.extensions.get().cloned().unwrap_or_default();
    let span = tracing::Span::current();
    parts.extensions.insert(Arc::new(Asked { principal, proof, arguments, replayed, span }));
    // It has served its purpose, and is not to stand in anybody's logs.
    parts.headers.remove(header::AUTHORIZATION);
    parts.headers.insert(header::ACCEPT, JSON_AND_STREAM);
    parts.headers.insert(header::CONTENT_TYPE, JSON);
    let answer = service.handle(Request::from_parts(parts, Full::new(body))).await;
    told(answer.map(Body::new), id)
}

fn check(parts: &Parts) -> Result<()> {
    extract::check_json(&parts.headers)?;
    // Clients send the same headers with each message; ignored, a key would promise what is not kept.
    if parts.headers.contains_key("idempotency-key") {
        let detail = "Over MCP the key is an argument of the tool, `idempotency_key`, and not a header";
        return Err(Error::new(Code::MalformedRequest, detail));
    }
    Ok(())
}

/// What rmcp says in JSON goes out as it is, and what it says in plain text in our words.
fn told(answer: Response, id: Option<RequestId>) -> Result<Response, Problem> {
    if answer.headers().get(header::CONTENT_TYPE) == Some(&JSON) {
        return Ok(answer);
    }
    match answer.status() {
        StatusCode::FORBIDDEN => {
            let detail = "`Host` must be that of PUBLIC_URL, and `Origin`, where there is one, of PUBLIC_URL, APP_URL or CORS_ORIGINS";
            Err(Error::new(Code::OriginRefused, detail).into())
        }
        StatusCode::BAD_REQUEST => {
            let detail = format!(
                "`MCP-Protocol-Version` must be one of {}, and `Host` a host",
                server::VERSIONS.each_ref().map(|version| version.as_str()).join(", ")
            );
            Err(Error::new(Code::MalformedRequest, detail).into())
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Ok(refusal(id, ErrorData::invalid_request("The message is none that MCP knows", None)))
        }
        _ => Ok(answer),
    }
}

/// A message that cannot be taken: by JSON-RPC's rules, since whoever sent it speaks that.
fn refusal(id: Option<RequestId>, error: ErrorData) -> Response {
    let body = serde_json::to_vec(&JsonRpcError::new(id, error)).unwrap_or_default();
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, JSON)], Bytes::from(body)).into_response()
}
