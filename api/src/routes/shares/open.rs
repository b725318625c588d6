//! `GET /shares/{token}`: what somebody with the link sees.

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use heimdex_db::{JobState, shares};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{
    auth::Caller,
    error::{ApiError, Code},
    extract::Path,
    routes::videos::shape::SIGNED_FOR,
    state::AppState,
};

/// 256 random bits in base64url. The database keeps the SHA-256.
const TOKEN_CHARS: usize = 43;

/// What a link carries.
pub(super) struct Token(String);

impl Token {
    pub(super) fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// 404 for what cannot be one.
    fn parse(text: &str) -> Result<Self, ApiError> {
        let fits =
            text.len() == TOKEN_CHARS && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err(over()) }
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

fn over() -> ApiError {
    ApiError::new(Code::NotFound).detail("This link has expired, was taken back, or is not complete.")
}

/// A moment that somebody shares.
#[derive(Serialize, ToSchema)]
pub struct SharedMoment {
    /// Of the video.
    title: String,
    shared_by: Option<String>,
    /// Where it is in the video; the clip itself begins at 0.
    start_ms: i64,
    end_ms: i64,
    expires_at: DateTime<Utc>,
    /// `preparing`, `ready` or `failed`
    #[schema(example = "ready")]
    state: &'static str,
    /// 0 to 100
    progress: i16,
    /// The clip (MP4), signed for ten minutes. Null until it is ready.
    url: Option<String>,
}

/// A shared moment, for anybody who is signed in: its clip and nothing else of the video.
#[utoipa::path(get, path = "/shares/{token}", tag = "shares", params(("token" = String, Path)), responses((status = OK, body = SharedMoment)))]
pub async fn open(
    State(state): State<AppState>,
    _: Caller,
    Path(token): Path<String>,
) -> Result<Json<SharedMoment>, ApiError> {
    let token = Token::parse(&token)?;
    let found = match shares::open(&state.pool, &token.hash()).await {
        Err(heimdex_db::DbError::NotFound) => return Err(over()),
        found => found?,
    };
    let (url, how) = match (&found.object_key, found.state) {
        (Some(key), _) => {
            let url = state.store.presign_get(key, SIGNED_FOR, Some("video/mp4"), None).await?;
            (Some(url.into()), "ready")
        }
        (None, Some(JobState::Pending | JobState::Running)) => (None, "preparing"),
        (None, _) => (None, "failed"),
    };
    Ok(Json(SharedMoment {
        title: found.title,
        shared_by: found.shared_by,
        start_ms: found.start_ms,
        end_ms: found.end_ms,
        expires_at: found.expires_at,
        state: how,
        progress: if url.is_some() { 100 } else { found.progress.unwrap_or(0) },
        url,
    }))
}
