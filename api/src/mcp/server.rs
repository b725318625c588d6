//! What is asked of an MCP server: who it is, which tools it has, and to use one.

use std::sync::Arc;

use axum::{Router, http::request::Parts};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, Implementation, JsonObject, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig, Tool as Definition, ToolAnnotations,
    },
    service::RequestContext,
};
use serde_json::Value;
use tracing::Instrument;
use utoipa::openapi::OpenApi;

use super::{
    call::call,
    schema,
    tell::Links,
    tools::{INSTRUCTIONS, TOOLS, Tool},
};
use crate::state::AppState;

/// Shared by all messages; cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    state: AppState,
    /// The routes that tools stand for.
    routes: Router,
    tools: Vec<(&'static Tool, Definition)>,
}

impl Server {
    pub fn new(state: AppState, routes: Router, document: &OpenApi) -> Self {
        let document = serde_json::to_value(document).unwrap_or_default();
        let tools = TOOLS.iter().map(|tool| (tool, definition(tool, &document))).collect();
        Self(Arc::new(Inner { state, routes, tools }))
    }

    fn find(&self, name: &str) -> Option<&(&'static Tool, Definition)> {
        self.0.tools.iter().find(|(tool, _)| tool.name == name)
    }
}

/// None of them changes anything, and none reaches beyond the library.
fn definition(tool: &Tool, document: &Value) -> Definition {
    Definition::new(tool.name, tool.description, schema::input(document, tool))
        .with_title(tool.title)
        .with_raw_output_schema(Arc::new(schema::output(document, tool)))
        .with_annotations(ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false))
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("heimdex", env!("CARGO_PKG_VERSION")).with_title("Heimdex"))
            .with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Definition> {
        self.find(name).map(|(_, definition)| definition.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let all = self.0.tools.iter().map(|(_, definition)| definition.clone()).collect();
        Ok(ListToolsResult::with_all_items(all))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some((tool, definition)) = self.find(&request.name) else {
            return Err(ErrorData::invalid_params(
                "There is no tool of this name; tools/list says which there are.",
                None,
            ));
        };
        let Some(message) = context.extensions.get::<Parts>() else {
            return Err(ErrorData::internal_error("The message has come without its request.", None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let nothing = JsonObject::new();
        let known = definition.input_schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
        let links = Links::of(&self.0.state, &message.headers);
        let span = tracing::info_span!("tool", name = tool.name);
        let called = call(tool, known, &arguments, message, self.0.routes.clone(), &links).instrument(span);
        tokio::select! {
            result = called => Ok(result.into()),
            // Nobody is there any more to read it.
            () = context.ct.cancelled() => Err(ErrorData::internal_error("The call was cancelled.", None)),
        }
    }
}
