//! The built web app, served by the API so that one origin and one process are enough.

use std::path::Path;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::get,
};
use tower_http::services::{ServeDir, ServeFile};

use crate::state::AppState;

/// `/app/*`: files, or index.html for the app's own pages; `/` leads there.
pub fn router(folder: &Path) -> Router<AppState> {
    // A missing asset is 404, not a page.
    let assets = ServeDir::new(folder.join("assets")).precompressed_gzip();
    let pages = ServeDir::new(folder)
        .append_index_html_on_directories(true)
        .fallback(ServeFile::new(folder.join("index.html")));
    Router::new()
        .nest_service("/app/assets", assets)
        .nest_service("/app", pages)
        .route("/", get(async || Redirect::temporary("/app")))
        .layer(middleware::from_fn(caching))
}

/// Assets carry their hash in the name; everything else is asked for anew.
async fn caching(request: Request, next: Next) -> Response {
    let immutable = request.uri().path().starts_with("/app/assets/");
    let mut response = next.run(request).await;
    let value = match (immutable, response.status().is_success()) {
        (true, true) => "public, max-age=31536000, immutable",
        _ => "no-cache",
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}
