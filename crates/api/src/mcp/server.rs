//! rmcp's view of the server: its name, its tools, and calls of them.

use std::{borrow::Cow, sync::Arc};

use axum::http::request::Parts;
use kernel::{Error, error::FieldError};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestMethod,
        CompleteRequestParams, CompleteResult, ContentBlock, Implementation, ListPromptsRequestMethod,
        ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult,
        ListResourcesRequestMethod, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ProtocolVersion, ServerCapabilities, ServerConfig, Tool as ToolDescription,
    },
    service::RequestContext,
    transport::{StreamableHttpService, streamable_http_server::session::never::NeverSessionManager},
};
use serde::Serialize;
use tracing::Instrument;

use super::{call::Call, tools::Tool, words::INSTRUCTIONS};
use crate::{build::VERSION, problem, state::AppState};

/// The protocol's versions that are served. Earlier ones require batches, or another transport.
pub(super) const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

/// rmcp's side of the route.
pub(super) type Service = StreamableHttpService<Server, NeverSessionManager>;

/// Answers the messages. One serves all requests, since it keeps nothing of any of them.
#[derive(Clone)]
pub(super) struct Server {
    state: AppState,
    tools: Arc<[ToolDescription]>,
}

impl Server {
    /// Creates the server, with every tool.
    pub(super) fn new(state: AppState) -> Self {
        Self { state, tools: Tool::ALL.into_iter().map(Tool::describe).collect() }
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

    // rmcp would answer these with an empty list, as if there could be something.

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

    fn get_tool(&self, name: &str) -> Option<ToolDescription> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = Tool::of_name(&request.name) else {
            let detail = "There is no tool of that name; tools/list names those there are";
            return Err(ErrorData::invalid_params(detail, None));
        };
        let parts = context.extensions.get::<Parts>();
        let call = parts.and_then(|parts| parts.extensions.get::<Arc<Call>>()).cloned();
        let call = call.ok_or_else(|| ErrorData::internal_error("nobody was proved to ask", None))?;
        let result = tokio::select! {
            biased;
            // As on any route, the call is dropped when its client goes away. A seal that was
            // queued is still made; a client that repeats the call uses idempotency_key.
            () = context.ct.cancelled() => {
                return Err(ErrorData::internal_error("the client went away", None));
            }
            result = tool.call(&self.state, &call).instrument(call.span.clone()) => result,
        };
        let result = result.map_or_else(|error| failure(&error, &call), CallToolResult::structured);
        Ok(result.into())
    }
}

/// A refusal, as a model sees it.
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

/// Returns a refusal as text alone, since structured content must follow the tool's schema.
fn failure(error: &Error, call: &Call) -> CallToolResult {
    let request_id = call.request_id();
    call.span.in_scope(|| problem::log(error, request_id));
    let failure = Failure {
        code: error.code().as_str(),
        detail: error.detail(),
        errors: error.field_errors(),
        retry_after_seconds: error.wait().map(|wait| wait.as_secs().max(1)),
        request_id,
    };
    CallToolResult::error(vec![ContentBlock::text(serde_json::to_string(&failure).unwrap_or_default())])
}
