//! The routes and what every request passes through, outermost first: request id, metrics, security headers, CORS,
//! problem rendering, panics, time limit, body limit, compression.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, NotForContentType, Predicate},
    },
    cors::{AllowHeaders, Any, CorsLayer},
};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    auth_server,
    config::Config,
    error::{ApiError, Code, panicked, render},
    mcp, metrics_server, openapi, request_id, routes,
    state::AppState,
    web,
};

const MAX_BODY_BYTES: usize = 256 << 10;
const MAX_REQUEST_TIME: Duration = Duration::from_secs(30);

/// The whole service.
pub fn router(state: AppState) -> Router {
    let (api, document) = routes::router().split_for_parts();
    let document = openapi::finish(document);
    let mcp = mcp::router(api.clone(), &document, MAX_BODY_BYTES, &state);
    let mut app = api
        .merge(mcp)
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    if state.auth_server.is_some() {
        app = app.nest("/auth/v1", auth_server::router());
    }
    app = match &state.config.web_dir {
        Some(folder) => app.merge(web::router(folder)),
        None => app.route(
            "/",
            get(async || Json(serde_json::json!({ "name": "Heimdex", "docs": "/docs", "openapi": "/openapi.json" }))),
        ),
    };
    dress(app, state)
}

/// What every request passes through, around any routes.
pub fn dress(app: Router<AppState>, state: AppState) -> Router {
    let policies = Arc::new(ContentPolicies::of(&state.config));
    app.fallback(async || ApiError::new(Code::NotFound).detail("There is nothing at this address."))
        .method_not_allowed_fallback(async || ApiError::new(Code::MethodNotAllowed))
        .layer(
            CompressionLayer::new()
                .compress_when(DefaultPredicate::new().and(NotForContentType::const_new("text/event-stream"))),
        )
        .layer(middleware::from_fn(time_limit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(render))
        .layer(cors())
        .layer(middleware::from_fn_with_state(policies, security_headers))
        .layer(middleware::from_fn(metrics_server::record))
        .layer(middleware::from_fn(request_id::assign))
        .with_state(state)
}

/// Tokens travel in a header, never in a cookie, so any origin may ask. supabase-js needs the version header exposed to
/// read error codes.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            auth_server::error::API_VERSION,
            request_id::HEADER,
            HeaderName::from_static("x-total-count"),
            header::LINK,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
        ])
        .max_age(Duration::from_secs(3600))
}

/// A handler that takes this long has lost its way. Streams are not meant: their head comes at once.
async fn time_limit(request: Request, next: Next) -> Response {
    let is_auth = request.uri().path().starts_with("/auth/v1");
    match tokio::time::timeout(MAX_REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) if is_auth => auth_server::error::AuthError::overloaded().into_response(),
        Err(_) => ApiError::new(Code::Timeout).into_response(),
    }
}

/// What the browser may load, made once: it depends on the configuration alone.
struct ContentPolicies {
    app: HeaderValue,
    /// Swagger UI sets styles of its own; the app does not.
    docs: HeaderValue,
}

impl ContentPolicies {
    fn of(config: &Config) -> Self {
        let s3 = config.s3.public_endpoint.origin().ascii_serialization();
        let auth = config.auth.supabase_url.as_ref().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let policy = |styles: &str| {
            let policy = format!(
                "default-src 'self'; img-src 'self' data: blob: https: {s3}; media-src 'self' blob: {s3}; connect-src 'self' {s3} {auth}; \
                 style-src {styles}; script-src 'self'; font-src 'self'; object-src 'none'; base-uri 'self'; \
                 form-action 'self'; frame-ancestors 'none'"
            );
            // Origins are ASCII. Were one not, nothing may be loaded.
            HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
        };
        Self { app: policy("'self'"), docs: policy("'self' 'unsafe-inline'") }
    }
}

async fn security_headers(State(policies): State<Arc<ContentPolicies>>, request: Request, next: Next) -> Response {
    let policy = if request.uri().path().starts_with("/docs") { &policies.docs } else { &policies.app };
    let policy = policy.clone();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What belongs to a person must not lie in a shared cache.
    if response.status() != StatusCode::NOT_MODIFIED && !response.headers().contains_key(header::CACHE_CONTROL) {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
