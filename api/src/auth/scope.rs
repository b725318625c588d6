//! What API tokens may do. A route is open to them only where it was put into the router with [`open_to`]; a handler that
//! takes a [`super::Caller`] on any other route is for signed-in people alone.

use axum::{Extension, http::request::Parts};
use heimdex_db::api_tokens::Scope;
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

/// Marks a route.
#[derive(Clone, Copy, Debug)]
struct OpenTo(Scope);

/// Opens the routes to API tokens of this scope.
pub fn open_to(scope: Scope, routes: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
    routes.layer(Extension(OpenTo(scope)))
}

/// The scope that the request's route asks an API token for; `None` where no API token will do.
pub(super) fn of_route(parts: &Parts) -> Option<Scope> {
    parts.extensions.get::<OpenTo>().map(|open| open.0)
}
