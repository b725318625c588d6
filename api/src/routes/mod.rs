//! One noun a folder or file, one verb a file. Here they are put together, with what the OpenAPI document says of them.

pub mod admin;
pub mod config;
pub mod events;
pub mod health;
pub mod jobs;
pub mod outbox;
pub mod people;
pub mod scenes;
pub mod search;
pub mod shares;
pub mod transcript;
pub mod uploads;
pub mod users;
pub mod videos;
pub mod webhooks;

use axum::extract::DefaultBodyLimit;
use heimdex_db::api_tokens::Scope;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::scope::open_to, extract, state::AppState};

/// Every route of the API itself, by who may use it. API tokens reach what is opened to their scope and nothing else.
pub fn router() -> OpenApiRouter<AppState> {
    anybody()
        .merge(account())
        .merge(administration())
        .merge(changing())
        .merge(people())
        .merge(sharing())
        .merge(open_to(Scope::Read, reading()))
        .merge(open_to(Scope::Upload, uploading()))
        .merge(open_to(Scope::Search, searching()))
}

/// Without signing in.
fn anybody() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(config::config))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(outbox::list))
        .routes(routes!(webhooks::supabase))
}

/// The person's account: never by an API token.
fn account() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(users::me::patch, users::delete::delete))
        .routes(routes!(users::export::export))
        .routes(routes!(users::tokens::create, users::tokens::list))
        .routes(routes!(users::tokens::revoke))
}

/// Operators and admins: never by an API token.
fn administration() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(admin::users::list))
        .routes(routes!(admin::users::patch))
        .routes(routes!(admin::audit::list))
        .routes(routes!(admin::queues::get))
        .routes(routes!(admin::workers::list))
        .routes(routes!(admin::jobs::list))
        .routes(routes!(admin::jobs::get))
        .routes(routes!(admin::job::retry))
        .routes(routes!(admin::job::cancel))
        .routes(routes!(admin::failures::list))
        .routes(routes!(admin::failures::retry))
        .routes(routes!(admin::stages::pause))
        .routes(routes!(admin::stages::resume))
        .routes(routes!(admin::videos::list))
        .routes(routes!(admin::videos::prioritise))
        .routes(routes!(admin::storage::get))
        .routes(routes!(admin::events::stream))
}

/// Changes of the library beyond sending videos, and of what is kept of searches: never by an API token.
fn changing() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(videos::edit::patch, videos::edit::delete))
        .routes(routes!(videos::edit::restore))
        .routes(routes!(videos::bulk::bulk))
        .routes(routes!(videos::reprocess::reprocess))
        .routes(routes!(search::saved::create))
        .routes(routes!(search::saved::patch, search::saved::delete))
        .routes(routes!(search::history::forget))
        .routes(routes!(transcript::edit::patch))
}

/// What leaves a library, and what came out of another's: never by an API token.
fn sharing() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(videos::clips::create))
        .routes(routes!(videos::clips::get))
        .routes(routes!(shares::create, shares::list))
        .routes(routes!(shares::revoke))
        .routes(routes!(shares::open::open))
}

/// Who is who: never by an API token.
fn people() -> OpenApiRouter<AppState> {
    let photos = OpenApiRouter::new()
        .routes(routes!(people::photos::create))
        .layer(DefaultBodyLimit::max(extract::MAX_PICTURE_BYTES));
    OpenApiRouter::new()
        .routes(routes!(people::create::create))
        .routes(routes!(people::edit::patch, people::edit::delete))
        .routes(routes!(people::photos::delete))
        .routes(routes!(people::decide::merge))
        .routes(routes!(people::decide::split))
        .routes(routes!(people::decide::reject))
        .merge(photos)
}

fn reading() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(users::me::get))
        .routes(routes!(users::usage::usage))
        .routes(routes!(videos::list::list))
        .routes(routes!(videos::list::ids))
        .routes(routes!(videos::tags::list))
        .routes(routes!(videos::sprite::sprite))
        .routes(routes!(videos::get::get))
        .routes(routes!(videos::playback::playback))
        .routes(routes!(videos::markers::markers))
        .routes(routes!(jobs::list))
        .routes(routes!(events::all))
        .routes(routes!(events::of_video))
        .routes(routes!(scenes::list))
        .routes(routes!(scenes::get))
        .routes(routes!(people::list::list))
        .routes(routes!(people::edit::get))
        .routes(routes!(people::photos::list))
        .routes(routes!(people::scenes::list))
        .routes(routes!(transcript::transcript))
}

fn uploading() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(uploads::create::create))
        .routes(routes!(uploads::parts::presign, uploads::parts::stored))
        .routes(routes!(uploads::complete::complete))
        .routes(routes!(uploads::abort::abort))
}

fn searching() -> OpenApiRouter<AppState> {
    let pictures = OpenApiRouter::new()
        .routes(routes!(search::image::search))
        .layer(DefaultBodyLimit::max(extract::MAX_PICTURE_BYTES));
    OpenApiRouter::new()
        .routes(routes!(search::similar::list))
        .routes(routes!(search::query::search))
        .routes(routes!(search::suggest::suggest))
        .routes(routes!(search::saved::list))
        .routes(routes!(search::history::list))
        .merge(pictures)
}
