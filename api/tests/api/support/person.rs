//! A signed-in person, and what the API says to them.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::App;

pub struct Person {
    pub email: String,
    pub token: String,
    pub refresh_token: String,
    base: String,
    http: reqwest::Client,
}

impl Person {
    /// From a session of the auth server.
    pub fn new(app: &App, session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("not a session: {session}")).to_owned();
        Self {
            email: text(&session["user"]["email"]),
            token: text(&session["access_token"]),
            refresh_token: text(&session["refresh_token"]),
            base: app.base.clone(),
            http: app.http.clone(),
        }
    }

    /// The same person in another tab, which another process answers.
    pub fn at(&self, base: &str) -> Self {
        Self {
            email: self.email.clone(),
            token: self.token.clone(),
            refresh_token: self.refresh_token.clone(),
            base: base.to_owned(),
            http: self.http.clone(),
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call("PATCH", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.call("PUT", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, None).await
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Reply::read(request.send().await.expect("the API answers")).await
    }

    /// To be sent by the test itself.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("x-supabase-api-version", "2024-01-01")
    }

    /// Announces an upload and returns the video's id.
    pub async fn announce(&self, size_bytes: usize) -> String {
        let reply = self
            .post(
                "/videos/uploads",
                json!({ "filename": "rain.mp4", "mime_type": "video/mp4", "size_bytes": size_bytes }),
            )
            .await;
        reply.assert_status(201);
        reply.body["video_id"].as_str().unwrap().to_owned()
    }

    /// Sends one part to the URL that the API gives for it, and returns its ETag.
    pub async fn send_part(&self, video: &str, number: i32, bytes: Vec<u8>) -> String {
        let urls = self.post(&format!("/videos/{video}/uploads/parts"), json!({ "part_numbers": [number] })).await;
        urls.assert_status(200);
        let url = urls.body["parts"][0]["url"].as_str().unwrap();
        let sent = self.http.put(url).body(bytes).send().await.unwrap();
        assert!(sent.status().is_success(), "{:?}", sent.text().await);
        sent.headers()["etag"].to_str().unwrap().to_owned()
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// Null when it is no JSON.
    pub body: Value,
    pub text: String,
}

impl Reply {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap_or_default();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A problem with this status and code, complete in form.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) -> &Self {
        self.assert_status(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(self.body["code"], code, "{}", self.text);
        assert_eq!(self.body["status"], status, "{}", self.text);
        assert_eq!(self.body["type"], format!("urn:heimdex:problem:{code}"));
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.text);
        if status == 401 {
            assert!(self.header("www-authenticate").starts_with("Bearer"), "a 401 must say how to authenticate");
        }
        self
    }

    /// An error of the auth server as supabase-js reads it.
    #[track_caller]
    pub fn assert_auth_error(&self, status: u16, code: &str) -> &Self {
        self.assert_status(status);
        assert_eq!(self.body["code"], code, "{}", self.text);
        assert_eq!(self.body["error_code"], code, "{}", self.text);
        assert_eq!(self.header("x-supabase-api-version"), "2024-01-01");
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}
