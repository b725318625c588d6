//! A running API.

use std::time::Duration;

use heimdex_api::{Listeners, config::Config};
use heimdex_testing::{TestDb, TestS3};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Person, Reply};

pub const PASSWORD: &str = "correct horse battery";
pub const SECRET_KEY: &str = "sb_secret_of_the_tests_0123456789abcdef";

pub struct App {
    pub base: String,
    pub metrics: String,
    pub db: TestDb,
    pub s3: TestS3,
    pub http: reqwest::Client,
    pub shutdown: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl App {
    /// The embedded default without models.
    pub async fn start() -> Self {
        Self::start_with(|_| None).await
    }

    /// Where people are recognised.
    pub async fn with_faces() -> Self {
        Self::start_with(|name| (name == "FEATURE_FACES").then(|| "true".into())).await
    }

    /// With other variables than the default; these win.
    pub async fn start_with(overrides: impl Fn(&str) -> Option<String>) -> Self {
        let db = TestDb::new().await.expect("a database");
        let s3 = TestS3::start().await.expect("an S3 server");
        let config = Config::read(&|name| overrides(name).or_else(|| usual(name, &db, &s3))).expect("a configuration");
        let listeners = Listeners { api: listen().await, metrics: listen().await };
        let base = format!("http://{}", listeners.api.local_addr().unwrap());
        let metrics = format!("http://{}", listeners.metrics.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let server = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { heimdex_api::run(config, listeners, shutdown).await.expect("the API runs") }
        });
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        // The listener is bound, so this waits in its queue until the server takes it up.
        http.get(format!("{base}/health/live")).send().await.expect("the API answers");
        Self { base, metrics, db, s3, http, shutdown, server: Some(server) }
    }

    /// Another process beside this one, on the same database and storage and behind the same name: its address. It ends with this one.
    pub async fn another(&self) -> String {
        let issuer = format!("{}/auth/v1", self.base);
        let config = Config::read(&|name| match name {
            "SUPABASE_JWT_ISSUER" => Some(issuer.clone()),
            _ => usual(name, &self.db, &self.s3),
        })
        .expect("a configuration");
        let listeners = Listeners { api: listen().await, metrics: listen().await };
        let base = format!("http://{}", listeners.api.local_addr().unwrap());
        let shutdown = self.shutdown.child_token();
        tokio::spawn(async move { heimdex_api::run(config, listeners, shutdown).await.expect("the API runs") });
        self.http.get(format!("{base}/health/live")).send().await.expect("the API answers");
        base
    }

    /// Stops the server and waits for its end.
    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        if let Some(server) = self.server.take() {
            server.await.expect("the server ends well");
        }
    }

    /// Somebody new, signed up and signed in.
    pub async fn user(&self, name: &str) -> Person {
        let email = format!("{name}@example.org");
        let reply = self
            .sign_up(&json!({ "email": email, "password": PASSWORD, "data": { "name": name, "role": "creator" } }))
            .await;
        reply.assert_status(200);
        Person::new(self, &reply.body)
    }

    /// Somebody without limits.
    pub async fn enterprise(&self, name: &str) -> Person {
        let person = self.user(name).await;
        let mut connection = self.db.pool().acquire().await.unwrap();
        let by = heimdex_db::audit::By::command();
        let user = heimdex_db::role_profiles::only_by_email(&mut *connection, &person.email).await.unwrap();
        heimdex_db::users::set_tier(&mut connection, user, heimdex_db::UserTier::Enterprise, &by).await.unwrap();
        person
    }

    /// Somebody who looks after the installation.
    pub async fn operator(&self, name: &str) -> Person {
        let person = self.user(name).await;
        let mut tx = self.db.pool().begin().await.unwrap();
        let user = heimdex_db::role_profiles::only_by_email(&mut *tx, &person.email).await.unwrap();
        let (role, by) = (heimdex_db::role_profiles::RoleType::Operator, heimdex_db::audit::By::command());
        heimdex_db::role_profiles::grant(&mut tx, user, role, None, &by).await.unwrap();
        tx.commit().await.unwrap();
        person
    }

    pub async fn sign_up(&self, body: &Value) -> Reply {
        self.anonymous("POST", "/auth/v1/signup", Some(body)).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.anonymous(
            "POST",
            "/auth/v1/token?grant_type=password",
            Some(&json!({ "email": email, "password": password })),
        )
        .await
    }

    pub async fn refresh(&self, token: &str) -> Reply {
        self.anonymous("POST", "/auth/v1/token?grant_type=refresh_token", Some(&json!({ "refresh_token": token })))
            .await
    }

    /// A call with the secret key.
    pub async fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.call(method, &format!("/auth/v1{path}"), Some(SECRET_KEY), body).await
    }

    /// The newest mail to somebody.
    pub async fn mail_to(&self, recipient: &str) -> Letter {
        let mails = self.mails_to(recipient).await;
        mails.into_iter().next_back().unwrap_or_else(|| panic!("no mail to {recipient}"))
    }

    /// Every mail to somebody, in order.
    pub async fn mails_to(&self, recipient: &str) -> Vec<Letter> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT subject, body FROM mail_outbox WHERE recipient = $1 ORDER BY mail_id")
                .bind(recipient)
                .fetch_all(self.db.pool())
                .await
                .unwrap();
        rows.into_iter().map(|(subject, body)| Letter::read(subject, &body)).collect()
    }

    /// As if the last mail to everybody had been long ago.
    pub async fn a_minute_later(&self) {
        sqlx::query("UPDATE auth_mail_times SET sent_at = now() - interval '61 seconds'")
            .execute(self.db.pool())
            .await
            .unwrap();
    }

    /// Follows a link of a mail and answers with where it leads.
    pub async fn follow(&self, link: &str) -> url::Url {
        let path = link.split_once("/auth/v1").map(|(_, path)| path).expect("a link of ours");
        let reply = self.anonymous("GET", &format!("/auth/v1{path}"), None).await;
        reply.assert_status(303);
        reply.header("location").parse().expect("a place")
    }

    /// Lines of the history with this name.
    pub async fn noted(&self, action: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE action = $1")
            .bind(action)
            .fetch_one(self.db.pool())
            .await
            .unwrap()
    }

    /// A call without a token.
    pub async fn anonymous(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.call(method, path, None, body).await
    }

    pub async fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Reply {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        // As supabase-js does.
        request = request.header("x-supabase-api-version", "2024-01-01");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::read(request.send().await.expect("the API answers")).await
    }
}

/// A mail, read.
pub struct Letter {
    pub subject: String,
    pub code: String,
    /// Empty where there is none.
    pub link: String,
}

impl Letter {
    fn read(subject: String, body: &str) -> Self {
        let words = || body.split_whitespace();
        let code = words().find(|word| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit()));
        let link = words().find(|word| word.starts_with("http")).unwrap_or_default().to_owned();
        Self { subject, code: code.expect("a code").to_owned(), link }
    }

    pub fn token_hash(&self) -> String {
        let link: url::Url = self.link.parse().expect("a link");
        link.query_pairs().find(|(name, _)| name == "token").expect("a token").1.into_owned()
    }
}

/// The fields of a fragment.
pub fn fragment(place: &url::Url) -> std::collections::HashMap<String, String> {
    url::form_urlencoded::parse(place.fragment().unwrap_or_default().as_bytes()).into_owned().collect()
}

impl Drop for App {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// The embedded default without models.
fn usual(name: &str, db: &TestDb, s3: &TestS3) -> Option<String> {
    Some(match name {
        "DATABASE_URL" => db.url().to_owned(),
        "S3_ENDPOINT" => s3.endpoint(),
        "S3_BUCKET" => s3.bucket().to_owned(),
        "S3_ACCESS_KEY_ID" => s3.access_key_id().to_owned(),
        "S3_SECRET_ACCESS_KEY" => s3.secret_access_key().to_owned(),
        "HEIMDEX_TEXT_MODEL" | "HEIMDEX_IMAGE_MODEL" | "HEIMDEX_DICTIONARY" => "none".to_owned(),
        // The program of the tests is none that can be its own child. Tests of other crates search by no picture.
        "HEIMDEX_MEDIA_CHILD" => option_env!("CARGO_BIN_EXE_heimdex-api").unwrap_or("heimdex-api").to_owned(),
        "HEIMDEX_API_DATABASE_CONNECTIONS" => "8".to_owned(),
        "SUPABASE_SECRET_KEY" => SECRET_KEY.to_owned(),
        _ => return None,
    })
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}
