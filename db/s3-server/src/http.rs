//! The HTTP side: connections with deadlines, CORS, a health path, and `s3s` behind them.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tower_http::timeout::TimeoutLayer;

use crate::config::{Config, ConfigError, CorsOrigins, Limits};
use crate::idle::IdleLimited;
use crate::objects::Store;
use crate::service::Service;

/// How long running requests may go on after the shutdown signal.
const SHUTDOWN_GRACE: std::time::Duration = std::time::Duration::from_secs(10);
/// No bucket can be called this, so it hides no object.
const HEALTH_PATH: &str = "/.heimdex/live";

/// Serves S3 on `listener` until `shutdown` resolves, then lets running requests end (at most 10 s).
///
/// The folder is locked and the bucket created before the first connection is taken. `GET /.heimdex/live` answers 200
/// to anybody.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ConfigError> {
    let store = Arc::new(Store::open(&config)?);
    let router = router(store, &config)?;
    run(listener, router, &config.limits, shutdown).await;
    Ok(())
}

fn router(store: Arc<Store>, config: &Config) -> Result<Router, ConfigError> {
    let mut builder = S3ServiceBuilder::new(Service { store });
    builder.set_auth(SimpleAuth::from_single(config.access_key_id.clone(), config.secret_access_key.clone()));
    let s3 = builder.build();

    let whole = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, config.limits.request_timeout);
    let idle = config.limits.body_idle_timeout;
    let s3 = tower::service_fn(move |request: axum::extract::Request| {
        let mut s3 = s3.clone();
        let request = request.map(|body| Body::new(IdleLimited::new(body, idle)));
        async move {
            let response = match tower::Service::call(&mut s3, request).await {
                Ok(response) => response.map(Body::new),
                Err(error) => {
                    tracing::error!(error = ?error, "the S3 service failed");
                    let mut response = axum::response::Response::new(Body::empty());
                    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    response
                }
            };
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    Ok(Router::new()
        .route(HEALTH_PATH, get(|| async { "ok" }))
        .fallback_service(s3)
        .layer(whole)
        .layer(cors(&config.cors_origins)?))
}

fn cors(origins: &CorsOrigins) -> Result<CorsLayer, ConfigError> {
    let allowed = match origins {
        CorsOrigins::Any => AllowOrigin::from(Any),
        CorsOrigins::Only(origins) => {
            let parse = |origin: &String| {
                HeaderValue::from_str(origin)
                    .ok()
                    .filter(|_| origin.starts_with("http://") || origin.starts_with("https://"))
                    .ok_or_else(|| ConfigError::Origin(origin.clone()))
            };
            AllowOrigin::list(origins.iter().map(parse).collect::<Result<Vec<_>, _>>()?)
        }
    };
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT])
        .allow_headers(Any)
        .expose_headers([
            header::ETAG,
            header::CONTENT_RANGE,
            header::CONTENT_LENGTH,
            header::ACCEPT_RANGES,
            HeaderName::from_static("x-amz-request-id"),
        ])
        .max_age(std::time::Duration::from_secs(3600)))
}

async fn run(listener: TcpListener, router: Router, limits: &Limits, shutdown: impl Future<Output = ()> + Send) {
    let mut builder = Builder::new(TokioExecutor::new());
    // Without a timer hyper waits for headers for ever (slowloris).
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    builder.http2().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accept = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, stream) = tokio::select! {
            (slot, accepted) = accept => match accepted {
                Ok((stream, _)) => (slot, stream),
                Err(error) => {
                    // Out of file descriptors, most likely: give connections a moment to end.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        // Small answers go out at once; a failure costs speed only.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running at the end of the grace period");
    }
}
