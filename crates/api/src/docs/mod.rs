//! The OpenAPI document, the page that shows it, and the catalogue of problems. Their assets are
//! ours: no page of a third party is asked.

use std::fmt::Write as _;

use axum::{
    Router,
    http::header,
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use kernel::Code;
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{problem, state::AppState};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Holdfast",
        description = "The backend that a product made of AI agents needs on its first day.\n\nErrors are \
            RFC 9457 problems; `/problems` explains every `code`. Everything under `/v1` also answers under \
            `/api/v1`. Lists are paged by `limit` and `cursor`. `/mcp` serves the vault's tools to language \
            models (Model Context Protocol).",
        license(name = "Proprietary", url = "/"),
    ),
    servers((url = "/", description = "This deployment")),
    tags(
        (name = "accounts", description = "People: signing up, passwords, profile, export and erasure."),
        (name = "sessions", description = "Logging in, staying so, and logging out."),
        (name = "passkeys", description = "Logging in with what a device keeps (WebAuthn)."),
        (name = "organizations", description = "The people who share projects, and what each may do."),
        (name = "projects", description = "The tenants that everything else belongs to."),
        (name = "keys", description = "A project's API keys, and what each may do."),
        (name = "agents", description = "The registry: which agents a project has and what they can do."),
        (name = "intents", description = "Signed messages from one agent to another, delivered at least \
            once."),
        (name = "inbox", description = "A recipient's deliveries: leased, then acknowledged."),
        (name = "vault", description = "A tamper-evident record of decisions: seals, and receipts that a \
            stranger can check."),
        (name = "audit", description = "Who did what: append-only, for owners and for whom it concerns."),
        (name = "health", description = "How the service does."),
    ),
    components(schemas(problem::Document)),
)]
struct About;

/// The document's frame: title, tags, and how callers prove who they are.
pub fn about() -> OpenApi {
    let mut document = About::openapi();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "api_key",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("hf_<env>_<id>_<secret><crc>")
                .description(Some("A project's API key."))
                .build(),
        ),
    );
    components.add_security_scheme(
        "access_token",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(
                    "A person's access token, good for 15 minutes: EdDSA alone, checked as RFC8725 advises.",
                ))
                .build(),
        ),
    );
    components.add_security_scheme(
        "agent_signature",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "Signature",
            "An agent's HTTP message signature (RFC 9421, Ed25519) with `Signature-Input`: `keyid` is the \
            agent's DID; `created` and a `nonce` of 8 to 128 characters are required; it covers `@method`, \
            `@target-uri` (or `@authority`, `@path` and `@query`) and, with a body, `content-digest`.",
        ))),
    );
    document
}

/// `/openapi.json`, `/docs` and `/problems`.
pub fn router(document: &OpenApi) -> Router<AppState> {
    let json = Bytes::from(document.to_json().unwrap_or_default());
    let problems = Bytes::from(catalogue());
    Router::new()
        .route("/openapi.json", asset("application/json", json))
        .route("/docs", asset(HTML, Bytes::from_static(include_bytes!("page.html"))))
        .route(
            "/docs/page.js",
            asset("text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("page.js"))),
        )
        .route(
            "/docs/page.css",
            asset("text/css; charset=utf-8", Bytes::from_static(include_bytes!("page.css"))),
        )
        .route("/problems", asset(HTML, problems))
}

const HTML: &str = "text/html; charset=utf-8";
/// Scripts and styles of this origin only; the pages load nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri \
    'none'; frame-ancestors 'none'";

/// A document that is the same for everybody until the next build.
fn asset(kind: &'static str, body: Bytes) -> MethodRouter<AppState> {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    get(move || async move { (headers, body) })
}

/// The page that every problem's `type` leads to.
fn catalogue() -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
        content=\"width=device-width\"><title>Problems · Holdfast</title><link rel=\"stylesheet\" \
        href=\"/docs/page.css\"><main><h1>Problems</h1><p>Every error is a document of type \
        <code>application/problem+json</code> (RFC 9457). Its <code>code</code> is one of these and does not \
        change; <code>detail</code> says what was wrong this time; <code>request_id</code> names the request \
        in our logs.</p><table><thead><tr><th>code</th><th>status</th><th>meaning</th></tr></thead><tbody>",
    );
    for code in Code::ALL {
        let (name, status, title) = (code.as_str(), problem::status(*code).as_u16(), code.title());
        let _ = write!(
            page,
            "<tr id=\"{name}\"><td><code>{name}</code></td><td>{status}</td><td>{title}</td></tr>"
        );
    }
    page.push_str("</tbody></table><p><a href=\"/docs\">API documentation</a></p></main></html>");
    page
}
