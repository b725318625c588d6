//! A running API.

use std::time::Duration;

use heimdex_api::{Listeners, config::Config};
use heimdex_testing::{TestDb, TestS3};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Person, Reply};

pub const PASSWORD: &str = "correct horse battery";

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
    /// The embedded default without a text model.
    pub async fn start() -> Self {
        Self::start_with(|_| None).await
    }

    /// With other variables than the default; these win.
    pub async fn start_with(overrides: impl Fn(&str) -> Option<String>) -> Self {
        let db = TestDb::new().await.expect("a database");
        let s3 = TestS3::start().await.expect("an S3 server");
        let config = Config::read(&|name| {
            overrides(name).or_else(|| {
                Some(match name {
                    "DATABASE_URL" => db.url().to_owned(),
                    "S3_ENDPOINT" => s3.endpoint(),
                    "S3_BUCKET" => s3.bucket().to_owned(),
                    "S3_ACCESS_KEY_ID" => s3.access_key_id().to_owned(),
                    "S3_SECRET_ACCESS_KEY" => s3.secret_access_key().to_owned(),
                    "HEIMDEX_TEXT_MODEL" => "none".to_owned(),
                    "HEIMDEX_API_DATABASE_CONNECTIONS" => "8".to_owned(),
                    _ => return None,
                })
            })
        })
        .expect("a configuration");
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
        heimdex_db::users::set_tier(&mut connection, &person.email, heimdex_db::UserTier::Enterprise, &by)
            .await
            .unwrap();
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

    /// A call without a token.
    pub async fn anonymous(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.call(method, path, None, body).await
    }

    pub async fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Reply {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::read(request.send().await.expect("the API answers")).await
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}
