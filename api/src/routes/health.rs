//! `GET /health/live` and `/health/ready`.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

use crate::{
    encoders::{Sense, Status},
    state::AppState,
};

#[derive(Serialize, ToSchema)]
pub struct Live {
    status: &'static str,
    version: &'static str,
}

/// The process runs.
#[utoipa::path(get, path = "/health/live", tag = "system", responses((status = OK, body = Live)), security(()))]
pub async fn live() -> Json<Live> {
    Json(Live { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

#[derive(Serialize, ToSchema)]
pub struct Ready {
    /// `ok` only when every check but that of the dictionary is `ok` or `off`.
    status: &'static str,
    checks: Checks,
}

#[derive(Serialize, ToSchema)]
pub struct Checks {
    database: &'static str,
    migrations: &'static str,
    object_storage: &'static str,
    /// `ok`, `off`, `loading` or `failed`.
    text_model: &'static str,
    /// As `text_model`: the half of the image model that reads queries.
    image_model: &'static str,
    /// As `text_model`: what queries in other languages are read with. `off`, too, where it was not fetched; search is ready without it.
    dictionary: &'static str,
}

/// Everything that a request needs is there; 503 with the same body otherwise.
#[utoipa::path(get, path = "/health/ready", tag = "system", security(()),
    responses((status = OK, body = Ready), (status = SERVICE_UNAVAILABLE, body = Ready)))]
pub async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Ready>) {
    let patience = Duration::from_secs(3);
    let (database, storage) = tokio::join!(
        tokio::time::timeout(patience, heimdex_db::enums::check(&state.pool)),
        tokio::time::timeout(patience, state.store.head("health")),
    );
    let said = |status| match status {
        Status::Off => "off",
        Status::Loading => "loading",
        Status::Ready => "ok",
        Status::Failed => "failed",
    };
    let model = |sense| said(state.encoders.status(sense));
    let (text_model, image_model) = (model(Sense::Text), model(Sense::Image));
    let dictionary = said(state.dictionary.status());
    let checks = Checks {
        database: word(matches!(database, Ok(Ok(()) | Err(heimdex_db::enums::EnumDrift::Values { .. })))),
        migrations: word(matches!(database, Ok(Ok(())))),
        object_storage: word(matches!(storage, Ok(Ok(_)))),
        text_model,
        image_model,
        dictionary,
    };
    let models = [text_model, image_model].iter().all(|status| matches!(*status, "ok" | "off"));
    let fine = checks.migrations == "ok" && checks.object_storage == "ok" && models;
    let status = if fine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { status: word(fine), checks }))
}

fn word(fine: bool) -> &'static str {
    if fine { "ok" } else { "failed" }
}
