//! Every request has an id: the caller's, if it is harmless, or ours. It is in the log, in errors and in `X-Request-Id`.

use std::{fmt, sync::Arc};

use axum::{extract::Request, http::HeaderName, middleware::Next, response::Response};
use tracing::Instrument;
use uuid::Uuid;

pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Clone, Debug)]
pub struct RequestId(Arc<str>);

impl Default for RequestId {
    fn default() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gives the request its id and a span, and the response the header.
pub async fn assign(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&HEADER).and_then(|value| value.to_str().ok()).filter(|id| is_harmless(id));
    let id = given.map_or_else(RequestId::default, |id| RequestId(id.into()));
    request.extensions_mut().insert(id.clone());
    // The path without its query: queries may carry what people look for.
    let path = loggable(request.uri().path());
    let span = tracing::info_span!("request", request_id = %id, method = %request.method(), path);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = id.0.parse() {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// A path as logs may have it: without what opens a share, of which the database too keeps only a hash.
pub fn loggable(path: &str) -> &str {
    ["/shares/", "/app/s/"].into_iter().find(|open| path.starts_with(open)).unwrap_or(path)
}

fn is_harmless(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::loggable;

    #[test]
    fn what_opens_a_share_is_in_no_log() {
        for (path, logged) in [
            ("/shares/Zk3fV0-secret", "/shares/"),
            ("/app/s/Zk3fV0-secret", "/app/s/"),
            ("/videos/1/shares/2", "/videos/1/shares/2"),
            ("/app/search", "/app/search"),
        ] {
            assert_eq!(loggable(path), logged);
        }
    }
}
