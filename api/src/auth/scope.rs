//! What API tokens may do. A route is open to them only where it was put into the router with [`open_to`] or
//! [`open_to_any`]; a handler that takes a [`super::Caller`] on any other route is for signed-in people alone.

use axum::{Extension, Router, http::request::Parts};
use heimdex_db::api_tokens::Scope;
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

/// Marks a route: one of these is enough.
#[derive(Clone, Copy, Debug)]
struct OpenTo(&'static [Scope]);

/// Opens the routes to API tokens of this scope.
pub fn open_to(scope: Scope, routes: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
    routes.layer(Extension(OpenTo(alone(scope))))
}

/// Opens the routes to API tokens that have one of these scopes. What is behind them asks for the one it needs.
pub fn open_to_any(scopes: &'static [Scope], routes: Router<AppState>) -> Router<AppState> {
    routes.layer(Extension(OpenTo(scopes)))
}

const fn alone(scope: Scope) -> &'static [Scope] {
    match scope {
        Scope::Read => &[Scope::Read],
        Scope::Upload => &[Scope::Upload],
        Scope::Search => &[Scope::Search],
    }
}

/// The scopes of which the request's route asks an API token for one; none where no API token will do.
pub(super) fn of_route(parts: &Parts) -> &'static [Scope] {
    parts.extensions.get::<OpenTo>().map_or(&[], |open| open.0)
}
