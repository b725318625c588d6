//! The one door through which errors leave: [`ApiError`] alone renders problem+json (RFC 9457).
//!
//! - A handler returns `Result<_, ApiError>`; `?` turns [`DbError`] and [`StoreError`] into the right code.
//! - For a decision of ours, name it: `ApiError::new(Code::NotFound)`, with [`ApiError::detail`] for the person.
//! - For a bug, [`ApiError::internal`]: the chain goes to the log, the client learns the request id.
//!
//! The response is rendered by [`render`], the outermost layer but the request id, which also dresses the plain errors of
//! axum and tower. The embedded auth server has a format of its own (`crate::auth_server::error`).

mod codes;
mod layer;

use axum::response::{IntoResponse, Response};
use heimdex_db::{DbError, error::chain, store::StoreError};
use serde::Serialize;
use utoipa::ToSchema;

pub use codes::Code;
pub use layer::{panicked, render};

/// A field that is not allowed as it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field, parameter or header.
    pub field: String,
    /// Stable.
    pub code: String,
    pub detail: String,
}

/// Body of every error: RFC 9457 problem details.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:heimdex:problem:{code}`
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// Stable; decide by this one.
    pub code: String,
    /// A sentence for the person.
    pub detail: String,
    pub request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
    /// Whatever belongs to the code: `missing`, `limit`, `used`, `resets_at`, …
    #[serde(flatten)]
    #[schema(ignore)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// An error on its way out.
#[derive(Clone, Debug)]
pub struct ApiError {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
    extra: serde_json::Map<String, serde_json::Value>,
    retry_after_s: Option<u64>,
    /// For the log only; set for 5xx.
    chain: Option<String>,
}

impl ApiError {
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), extra: serde_json::Map::new(), retry_after_s: None, chain: None }
    }

    /// One field is wrong.
    pub fn field(field: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut error = Self::new(Code::InvalidRequest).detail(detail.clone());
        error.errors.push(FieldError { field: field.into(), code: code.to_owned(), detail });
        error
    }

    /// A bug or a broken part: the client learns nothing of it but the request id.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut this = Self::new(Code::Internal);
        this.chain = Some(chain(error));
        this
    }

    fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut this = Self::new(Code::Unavailable).retry_after(5);
        this.chain = Some(chain(error));
        this
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.extra.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub fn code(&self) -> Code {
        self.code
    }

    /// What the person is told.
    pub fn sentence(&self) -> String {
        self.detail.clone().unwrap_or_else(|| format!("{}.", self.code.title()))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::NotFound => Self::new(Code::NotFound),
            DbError::Conflict("run_active") => Self::new(Code::RunActive),
            DbError::Conflict("nothing_to_inherit") => Self::new(Code::NothingToInherit)
                .detail("Only a video that was indexed completely can be redone in part; leave `stages` empty."),
            DbError::Conflict("consent_required") => Self::new(Code::ConsentRequired)
                .detail("Record first that the person agreed to be recognised: `consent: true` with a note."),
            DbError::Conflict("too_many_photos") => {
                Self::new(Code::TooManyPhotos).detail("A person has at most 10 photos; delete one to add another.")
            }
            DbError::Conflict("transcript_changed") => Self::new(Code::TranscriptChanged)
                .detail("This sentence is no longer as you saw it: the video was indexed again, or somebody has changed it. Look at it again."),
            DbError::Conflict("too_many_tags") => {
                Self::field("tags", "too_many", format!("A video has at most {} tags.", heimdex_db::videos::MAX_TAGS))
            }
            DbError::Conflict("too_many_people") => Self::new(Code::TooManyPeople),
            DbError::Conflict("merge_with_itself") => {
                Self::field("from", "same_person", "A person cannot be merged with themself.")
            }
            DbError::Conflict(code) => {
                let conflict = Self::new(Code::Conflict).with("conflict", *code);
                match sentence_of(code) {
                    Some(sentence) => conflict.detail(sentence),
                    None => conflict,
                }
            }
            _ if error.is_outage() => Self::unavailable(&error),
            _ if error.is_busy() => Self::unavailable(&error)
                .detail("Something else is being done to the same things at this moment; try again.")
                .retry_after(3),
            _ => Self::internal(&error),
        }
    }
}

/// What somebody who has as many of something as they may can do.
fn sentence_of(conflict: &str) -> Option<String> {
    match conflict {
        "too_many_clips" => Some(format!(
            "You have {} clips, which is as many as are kept. Each goes 24 hours after it was made, and with the share it was made for.",
            heimdex_db::clips::MAX_LIVE
        )),
        "clips_waiting" => {
            Some("Many of your clips are still being made; ask for more once some of them are there.".to_owned())
        }
        "too_many_shares" => Some(format!(
            "You share {} moments, which is as many as you may. Take one back to share another.",
            heimdex_db::shares::MAX_LIVE
        )),
        "too_many_saved_searches" => Some(format!(
            "You keep {} searches, which is as many as you may. Delete one to keep another.",
            heimdex_db::search::MAX_SAVED
        )),
        _ => None,
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_outage() { Self::unavailable(&error) } else { Self::internal(&error) }
    }
}
