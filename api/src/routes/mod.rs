//! One noun a folder or file, one verb a file. Here they are put together, with what the OpenAPI document says of them.

pub mod config;
pub mod events;
pub mod health;
pub mod jobs;
pub mod outbox;
pub mod scenes;
pub mod search;
pub mod transcript;
pub mod uploads;
pub mod users;
pub mod videos;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::AppState;

/// Every route of the API itself.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(config::config))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(outbox::list))
        .routes(routes!(users::me::get, users::me::patch, users::delete::delete))
        .routes(routes!(users::usage::usage))
        .routes(routes!(uploads::create::create))
        .routes(routes!(uploads::parts::presign, uploads::parts::stored))
        .routes(routes!(uploads::complete::complete))
        .routes(routes!(uploads::abort::abort))
        .routes(routes!(videos::list::list))
        .routes(routes!(videos::get::get, videos::edit::patch, videos::edit::delete))
        .routes(routes!(videos::edit::restore))
        .routes(routes!(videos::reprocess::reprocess))
        .routes(routes!(videos::playback::playback))
        .routes(routes!(jobs::list))
        .routes(routes!(events::all))
        .routes(routes!(events::of_video))
        .routes(routes!(scenes::list))
        .routes(routes!(scenes::get))
        .routes(routes!(search::similar::list))
        .routes(routes!(transcript::transcript))
        .routes(routes!(search::query::search))
        .routes(routes!(search::suggest::suggest))
}
