//! The project's admin API: users a page at a time, and one by one. Every request has a deadline, is tried again a few times
//! when the project is busy or away, and its answer has a size.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::ProjectUser;

const DEADLINE: Duration = Duration::from_secs(15);
const MAX_BYTES: usize = 16 << 20;
const TRIES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
pub const PER_PAGE: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("the project cannot be reached")]
    Http(#[source] reqwest::Error),
    #[error("the project answered {0}")]
    Status(StatusCode),
    #[error("the project refused the key: {0}; is SUPABASE_SECRET_KEY this project's?")]
    Refused(StatusCode),
    #[error("the project's answer is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the project's answer is not what the admin API says")]
    Json(#[from] serde_json::Error),
}

impl AdminError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status(status) => *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
            _ => false,
        }
    }
}

/// A project's admin API.
pub struct AdminApi {
    /// `…/auth/v1/admin/users`
    users: Url,
    key: SecretString,
    http: reqwest::Client,
    /// Before the second try; doubled for each further one.
    first_pause: Duration,
}

impl AdminApi {
    pub fn new(users: Url, key: SecretString, first_pause: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DEADLINE)
            .user_agent(concat!("heimdex/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { users, key, http, first_pause })
    }

    /// A page of users, from 1 on; an empty one is past the last.
    pub async fn page(&self, number: u32) -> Result<Vec<ProjectUser>, AdminError> {
        #[derive(Deserialize)]
        struct Page {
            users: Vec<ProjectUser>,
        }
        let mut url = self.users.clone();
        url.query_pairs_mut().append_pair("page", &number.to_string()).append_pair("per_page", &PER_PAGE.to_string());
        let body = self.get(url).await?.ok_or(AdminError::Status(StatusCode::NOT_FOUND))?;
        Ok(serde_json::from_slice::<Page>(&body)?.users)
    }

    /// One user; `None` if the project says that there is none.
    pub async fn user(&self, id: Uuid) -> Result<Option<ProjectUser>, AdminError> {
        let url = format!("{}/{id}", self.users).parse().unwrap_or_else(|_| self.users.clone());
        self.get(url).await?.map(|body| serde_json::from_slice(&body)).transpose().map_err(Into::into)
    }

    async fn get(&self, url: Url) -> Result<Option<Vec<u8>>, AdminError> {
        let mut pause = self.first_pause;
        for _ in 1..TRIES {
            match self.try_get(url.clone()).await {
                Err((error, wait)) if error.may_pass() => {
                    let wait = wait.unwrap_or(pause).min(LONGEST_PAUSE);
                    tracing::warn!(error = &error as &dyn std::error::Error, ?wait, "asking the project again");
                    tokio::time::sleep(wait).await;
                    pause *= 2;
                }
                answer => return answer.map_err(|(error, _)| error),
            }
        }
        self.try_get(url).await.map_err(|(error, _)| error)
    }

    /// The body, or `None` for a 404; with an error, how long the project asks to wait.
    async fn try_get(&self, url: Url) -> Result<Option<Vec<u8>>, (AdminError, Option<Duration>)> {
        let plain = |error: reqwest::Error| (AdminError::Http(error.without_url()), None);
        let mut response = self.signed(self.http.get(url)).send().await.map_err(plain)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err((AdminError::Refused(status), None));
            }
            status => {
                let seconds = response.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
                return Err((AdminError::Status(status), seconds.map(Duration::from_secs)));
            }
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(plain)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err((AdminError::TooLarge, None));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let key = self.key.expose_secret();
        request.header("apikey", key).bearer_auth(key)
    }
}
