//! The layer that dresses errors: ours, and the plain ones of axum and tower, so that no path gives a bare text.

use std::any::Any;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{ApiError, Code, FieldError, Problem};
use crate::request_id::{RequestId, loggable};

/// Renders every error response as problem+json, with the request id; a 5xx is logged here, once.
pub async fn render(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let speaks_problem = !request.uri().path().starts_with("/auth/v1");
    let method = request.method().clone();
    let path = loggable(request.uri().path()).to_owned();
    let mut response = next.run(request).await;
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None if speaks_problem && is_bare_error(&response) => ApiError::new(code_of(response.status())),
        None => return response,
    };
    if error.code.status().is_server_error() {
        tracing::error!(request_id = %id, %method, path, code = error.code.as_str(), chain = error.chain.as_deref().unwrap_or(""), "request failed");
    }
    // Allow of a 405 and the like stay.
    let headers = std::mem::take(response.headers_mut());
    let mut rendered = problem(error, &id);
    for (name, value) in &headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

/// For `CatchPanicLayer`: a panic is a bug of ours and says nothing to the outside.
#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let mut error = ApiError::new(Code::Internal);
    error.chain = Some(format!("panic: {}", text.unwrap_or("without a message")));
    error.into_response()
}

/// An error of axum or tower: empty or plain text.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    (status.is_client_error() || status.is_server_error())
        && (content_type.is_empty() || content_type.starts_with("text/plain"))
}

fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Code::Timeout,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        status if status.is_client_error() => Code::InvalidRequest,
        _ => Code::Internal,
    }
}

fn problem(error: ApiError, id: &RequestId) -> Response {
    let status = error.code.status();
    let body = Problem {
        kind: format!("urn:heimdex:problem:{}", error.code.as_str()),
        title: error.code.title().to_owned(),
        status: status.as_u16(),
        code: error.code.as_str().to_owned(),
        detail: error.sentence(),
        request_id: id.to_string(),
        errors: Some(error.errors).filter(|e: &Vec<FieldError>| !e.is_empty()),
        extra: error.extra,
    };
    let mut response = (status, Body::from(serde_json::to_vec(&body).unwrap_or_default())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = if error.code == Code::Unauthenticated {
            r#"Bearer realm="heimdex""#
        } else {
            r#"Bearer realm="heimdex", error="invalid_token""#
        };
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = error.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
