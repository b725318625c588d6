//! Supabase Auth's HTTP interface, as far as a command needs it. The embedded auth server speaks it too.

use chrono::Utc;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::store::Session;
use crate::{
    api::{self, Http},
    failure::{Failure, Problem, Result},
    output::harmless,
    server::{self, Server},
};

const MAX_SESSION_BYTES: usize = 1 << 20;
const TRIES: u32 = 4;

/// `GET /config`, as far as it is about signing in.
#[derive(Deserialize)]
pub struct Config {
    pub auth_url: String,
    #[serde(default)]
    pub publishable_key: String,
    #[serde(default)]
    pub embedded_auth: bool,
}

impl Config {
    /// Base of the auth server. The embedded one is the API itself, which behind a proxy may not know that it is reached by https.
    pub fn auth_base(&self, server: &Server, insecure_http: bool) -> Result<String> {
        if self.embedded_auth {
            return Ok(server.as_str().to_owned());
        }
        let url = Url::parse(&self.auth_url).map_err(|_| {
            anyhow::anyhow!("the server names “{}” to sign in at, which is no address", harmless(&self.auth_url))
        })?;
        server::check(&url, insecure_http)?;
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

/// A session as it was just given out.
pub struct Fresh {
    pub email: Option<String>,
    pub access_token: String,
    pub refresh_token: String,
    /// Unix seconds, by this machine's clock.
    pub expires_at: i64,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    refresh_token: String,
    expires_in: i64,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    email: Option<String>,
}

/// Signs in by password.
pub async fn sign_in(http: &Http, auth_url: &str, key: &str, email: &str, password: &str) -> Result<Fresh> {
    let body = json!({ "email": email, "password": password });
    match token(http, auth_url, key, "password", &body).await {
        // A wrong password is no mistake of the command.
        Err(Failure::Problem(problem)) if (400..=403).contains(&problem.status) => Err(Failure::NotSignedIn(format!(
            "Signing in as {email} failed: {}.",
            problem.detail.trim_end_matches('.')
        ))),
        other => other,
    }
}

/// Trades a session's refresh token. What passes is tried again; only a refusal means that the session is over.
pub async fn refresh(http: &Http, session: &Session) -> Result<Fresh> {
    let body = json!({ "refresh_token": session.refresh_token });
    let mut tried = 0;
    loop {
        match token(http, &session.auth_url, &session.publishable_key, "refresh_token", &body).await {
            Err(failure) if failure.is_passing() && tried + 1 < TRIES => tokio::time::sleep(api::pause(tried)).await,
            Err(Failure::Problem(problem)) if (400..=422).contains(&problem.status) => {
                let Problem { detail, .. } = *problem;
                let why = detail.trim_end_matches('.').to_owned();
                return Err(Failure::NotSignedIn(format!("The session has ended ({why}). Run `heimdex login`.")));
            }
            other => return other,
        }
        tried += 1;
    }
}

/// Ends this session and no other.
pub async fn sign_out(http: &Http, session: &Session) -> Result<()> {
    let url = format!("{}/auth/v1/logout?scope=local", session.auth_url);
    let request =
        http.request(Method::POST, &url).header("apikey", &session.publishable_key).bearer_auth(&session.access_token);
    let reply = api::send(request.timeout(api::DEADLINE)).await?;
    if reply.status().is_success() { Ok(()) } else { Err(api::problem(reply).await.into()) }
}

async fn token(http: &Http, auth_url: &str, key: &str, grant: &str, body: &Value) -> Result<Fresh> {
    let request = http
        .request(Method::POST, &format!("{auth_url}/auth/v1/token?grant_type={grant}"))
        .header("apikey", key)
        .header("x-supabase-api-version", "2024-01-01")
        .json(body);
    let reply = api::send(request.timeout(api::DEADLINE)).await?;
    if !reply.status().is_success() {
        return Err(api::problem(reply).await.into());
    }
    let answer: Answer = serde_json::from_slice(&api::bytes(reply, MAX_SESSION_BYTES).await?)?;
    Ok(Fresh {
        email: answer.user.and_then(|user| user.email),
        access_token: answer.access_token,
        refresh_token: answer.refresh_token,
        expires_at: Utc::now().timestamp() + answer.expires_in,
    })
}
