//! Whether a session is alive at this moment. Tokens are believed until they expire; where that is not enough, whoever issued
//! them is asked. The embedded auth server's sessions are rows that every request looks at anyway; a Supabase project is asked
//! by `GET /auth/v1/user`, which answers 403 once the session has ended or the account is banned.

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use crate::error::{ApiError, Code};

const DEADLINE: Duration = Duration::from_secs(5);
/// A user object is a few hundred bytes; metadata may make it longer.
const MAX_BYTES: usize = 256 << 10;

/// Asks whoever issued a token.
pub enum Liveness {
    /// Sessions are rows of this database; nobody else is to be asked.
    Own,
    Project {
        /// `…/auth/v1/user`
        user: Url,
        publishable_key: String,
        http: reqwest::Client,
    },
}

impl Liveness {
    pub fn of_project(user: Url, publishable_key: String) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE).build()?;
        Ok(Self::Project { user, publishable_key, http })
    }

    /// 401 when the session has ended; 503 when nobody can say: then it is not taken for alive.
    pub(super) async fn confirm(&self, token: &str, subject: Option<Uuid>) -> Result<(), ApiError> {
        let Self::Project { user, publishable_key, http } = self else { return Ok(()) };
        let asked = http.get(user.clone()).header("apikey", publishable_key).bearer_auth(token).send().await;
        let mut response = asked.map_err(|error| cannot_say(&error.without_url().to_string()))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                return Err(ApiError::new(Code::SessionEnded));
            }
            status => return Err(cannot_say(status.as_str())),
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cannot_say(&error.without_url().to_string()))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(cannot_say("its answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        #[derive(Deserialize)]
        struct User {
            id: Uuid,
        }
        let answer: User = serde_json::from_slice(&body).map_err(|_| cannot_say("its answer is no user"))?;
        if Some(answer.id) == subject { Ok(()) } else { Err(ApiError::new(Code::SessionEnded)) }
    }
}

fn cannot_say(reason: &str) -> ApiError {
    tracing::warn!(reason, "the Supabase project cannot say whether a session is alive");
    ApiError::new(Code::Unavailable)
        .detail("Your session cannot be confirmed at the moment. Please try again.")
        .retry_after(5)
}
