//! What rmcp asks of us: who we are, which tools there are, and to call one.

use std::{borrow::Cow, sync::Arc};

use axum::http::request::Parts;
use kernel::{Error, caller::Principal, error::FieldError, idempotency::Replayed, signature::Proof};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod, CompleteRequestParams,
        CompleteResult, ContentBlock, Implementation, ListPromptsRequestMethod, ListPromptsResult,
        ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, ListResourcesRequestMethod,
        ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerCapabilities,
        ServerConfig,
    },
    service::RequestContext,
};
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::{Instrument, Span};

use super::tools::Tool;
use crate::{VERSION, problem, state::AppState};

/// The protocol's versions that are served. Earlier ones want batches, or another transport.
pub const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

const INSTRUCTIONS: &str = "The vault of one Holdfast project: a log that only grows, in which decisions, actions and facts are sealed so that a \
    stranger can later check that they were recorded, when, by whom, and that nothing was changed or left out. Seal what you decide or do with \
    vault_seal; find what was sealed with vault_query; prove a seal with vault_receipt; check a proof with vault_verify. A refusal is an object \
    with a stable `code` and a sentence, `detail`, that says what to do; `errors` names the arguments that break a rule, as JSON pointers.";

/// What was proved of a request before rmcp saw it, and what it did not see.
#[derive(Debug)]
pub struct Asked {
    /// Who asks, and in which project.
    pub principal: Principal,
    /// The signature of the agent that asks.
    pub proof: Option<Proof>,
    /// A tool's arguments, as they came.
    pub arguments: Option<Box<RawValue>>,
    /// To be set when a first answer is given again.
    pub replayed: Replayed,
    /// The request's span: rmcp calls tools in a task of their own.
    pub span: Span,
}

impl Asked {
    /// The tool's arguments, as JSON text.
    pub fn arguments(&self) -> &str {
        self.arguments.as_deref().map_or("{}", RawValue::get)
    }
}

/// Answers the messages. One for all requests: it knows nothing of any of them.
#[derive(Clone)]
pub struct Server {
    state: AppState,
    tools: Arc<[rmcp::model::Tool]>,
}

impl Server {
    /// With every tool.
    pub fn new(state: AppState) -> Self {
        Self { state, tools: Tool::ALL.into_iter().map(Tool::told).collect() }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("holdfast", VERSION).with_title("Holdfast"))
            .with_instructions(INSTRUCTIONS)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&VERSIONS)
    }

    // rmcp would answer these with nothing, as if there could be something.

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<rmcp::model::Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = Tool::called(&request.name) else {
            return Err(ErrorData::invalid_params(
                "There is no tool of that name; tools/list names those there are",
                None,
            ));
        };
        let asked = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Arc<Asked>>()).cloned();
        let asked = asked.ok_or_else(|| ErrorData::internal_error("nobody was proved to ask", None))?;
        let result = tokio::select! {
            biased;
            // As on any route, the call is dropped with its client; a seal that was queued is still made; use idempotency_key.
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the client went away", None)),
            result = tool.call(&self.state, &asked).instrument(asked.span.clone()) => result,
        };
        let result = result.map_or_else(|error| failure(&error, &asked), CallToolResult::structured);
        Ok(result.into())
    }
}

/// A refusal as a model sees it.
#[derive(Debug, Serialize)]
struct Failure<'a> {
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    request_id: &'a str,
}

/// As text alone: what is structured would have to be as the tool's schema says.
fn failure(error: &Error, asked: &Asked) -> CallToolResult {
    let request_id = &asked.principal.request.id;
    asked.span.in_scope(|| problem::log(error, request_id));
    let failure = Failure {
        code: error.code().as_str(),
        detail: error.detail(),
        errors: error.field_errors(),
        retry_after_seconds: error.wait().map(|wait| wait.as_secs().max(1)),
        request_id,
    };
    CallToolResult::error(vec![ContentBlock::text(serde_json::to_string(&failure).unwrap_or_default())])
}
