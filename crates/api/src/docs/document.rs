//! The frame of the OpenAPI document: its title, its tags, and how callers prove who they are.

use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::problem;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Holdfast",
        description = "The backend that a product built on AI agents needs on its first day.\n\n\
            Errors are RFC 9457 problems; `/problems` explains every `code`. Every path under `/v1` also \
            answers under `/api/v1`. Lists are paged with `limit` and `cursor`. `/mcp` serves the vault's \
            tools to language models (Model Context Protocol).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This deployment")),
    tags(
        (name = "accounts", description = "People: sign-up, passwords, profile, export and erasure."),
        (name = "sessions", description = "Logging in, refreshing a session, and logging out."),
        (name = "passkeys", description = "Logging in with a passkey (WebAuthn)."),
        (name = "organizations", description = "The people who share projects, and what each may do."),
        (name = "projects", description = "The tenants that everything else belongs to."),
        (name = "keys", description = "A project's API keys, and what each may do."),
        (name = "agents", description = "The registry of a project's agents, and what each can do."),
        (name = "intents", description = "Signed messages between agents, delivered at least once."),
        (name = "inbox", description = "A recipient's deliveries, which it leases and then acknowledges."),
        (name = "vault",
         description = "A tamper-evident record of decisions; anyone can check its receipts."),
        (name = "audit", description = "An append-only record of who did what."),
        (name = "health", description = "The state of the service and of what it depends on."),
    ),
    components(schemas(problem::Document)),
)]
struct About;

/// Returns the document without its operations.
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
                    "A person's access token, valid for 15 minutes. It is signed with EdDSA and checked as \
                     RFC8725 recommends.",
                ))
                .build(),
        ),
    );
    components.add_security_scheme(
        "agent_signature",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "Signature",
            "An agent's HTTP message signature (RFC 9421, Ed25519), with `Signature-Input`. `keyid` is the \
             agent's DID; `created` and a `nonce` of 8 to 128 characters are required. It covers `@method`, \
             `@target-uri` (or `@authority`, `@path` and `@query`) and, with a body, `content-digest`.",
        ))),
    );
    document
}
