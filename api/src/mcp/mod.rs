//! `/mcp`: the library for programs that work with language models, by the Model Context Protocol over streamable HTTP.
//!
//! A tool is a route of the API under another name ([`tools`]). Calling it sends that route a request with the caller's own token
//! ([`call`]), so permissions, scopes, limits, switched-off features and errors are the route's own and cannot become different
//! ones; what a tool takes and gives is read from the OpenAPI document ([`schema`]). Beside it stands a short text for people
//! and for clients that show nothing else ([`tell`]).
//!
//! There are no sessions: each message stands by itself, any process answers it, and nothing is left behind.

mod call;
mod door;
mod schema;
mod server;
mod tell;
mod tools;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::post,
};
use heimdex_db::api_tokens::Scope;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;

use crate::{
    auth::scope::open_to_any,
    error::{ApiError, Code, panicked, render},
    state::AppState,
};
use server::Server;

type Service = StreamableHttpService<Server, NeverSessionManager>;

/// The route `/mcp`. `api` are the routes that tools stand for, `document` describes them.
pub fn router(api: Router<AppState>, document: &OpenApi, max_body_bytes: usize, state: &AppState) -> Router<AppState> {
    let api = api
        .layer(DefaultBodyLimit::max(max_body_bytes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(render))
        .with_state(state.clone());
    let server = Server::new(state.clone(), api, document);
    // The door looks at Host and Origin itself: it knows the configuration, and refuses as all routes do.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(max_body_bytes);
    let service = Service::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config);
    let routes = Router::new()
        .route("/mcp", post(async move |request: Request| answer(&service, request).await))
        .route_layer(middleware::from_fn_with_state(state.clone(), door::open));
    // Which of the two a tool wants, its route says.
    open_to_any(&[Scope::Read, Scope::Search], routes)
}

async fn answer(service: &Service, mut request: Request) -> Response {
    // Every answer is JSON, so a client that does not announce that it could read a stream is no worse off.
    let both = HeaderValue::from_static("application/json, text/event-stream");
    request.headers_mut().insert(header::ACCEPT, both);
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = sent.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    // Boxed: it has room for every kind of message.
    let response = Box::pin(service.handle(request)).await;
    match response.status() {
        // What could not be read as a message is answered like a wrong type.
        StatusCode::UNSUPPORTED_MEDIA_TYPE if is_json => {
            ApiError::new(Code::InvalidJson).detail("The body must be one JSON-RPC 2.0 message.").into_response()
        }
        _ => response.map(Body::new),
    }
}
