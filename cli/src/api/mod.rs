//! The HTTP API as this program uses it: every call has a deadline, says who asks, and fails with the server's own sentence.

pub mod sse;
pub mod types;

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, header, redirect::Policy};
use serde_json::Value;
use url::Url;

use crate::{
    auth::Auth,
    failure::{Failure, Problem, Result},
    server::{self, Server},
};

/// Of a call and its whole answer, unless the call says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(60);
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// The transcript of a day has a few MiB.
const MAX_ANSWER_BYTES: usize = 128 << 20;
const MAX_PROBLEM_BYTES: usize = 256 << 10;
/// Of something that another try may mend.
pub const TRIES: u32 = 7;

/// A client of a server.
pub struct Api {
    pub server: Server,
    pub insecure_http: bool,
    http: Http,
    auth: Auth,
}

/// One call.
#[derive(Clone)]
pub struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    idempotency_key: Option<String>,
    /// `None` for a stream, whose reader has deadlines of its own.
    deadline: Option<Duration>,
}

impl Call {
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, idempotency_key: None, deadline: Some(DEADLINE) }
    }

    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }

    /// Tried again with the same key, it is done once.
    pub fn once(self, key: String) -> Self {
        Self { idempotency_key: Some(key), ..self }
    }

    pub fn deadline(self, deadline: Option<Duration>) -> Self {
        Self { deadline, ..self }
    }
}

/// What everything is sent with. It follows no redirects: a secret goes where it was meant to go. What is meant for this machine never
/// goes through a proxy of the environment, which would read it: by http it is no tunnel, and the proxy's own machine another one.
#[derive(Clone)]
pub struct Http {
    usual: Client,
    here: Client,
}

impl Http {
    pub fn new() -> Result<Self> {
        let agent = concat!("heimdex-cli/", env!("CARGO_PKG_VERSION"));
        let client = || Client::builder().user_agent(agent).redirect(Policy::none()).connect_timeout(CONNECT_DEADLINE);
        let wrong = |error: reqwest::Error| Failure::Other(anyhow::Error::new(error).context("HTTPS cannot be set up"));
        Ok(Self { usual: client().build().map_err(wrong)?, here: client().no_proxy().build().map_err(wrong)? })
    }

    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let is_here = Url::parse(url).is_ok_and(|url| server::is_this_machine(&url));
        let client = if is_here { &self.here } else { &self.usual };
        client.request(method, url)
    }
}

impl Api {
    pub fn new(server: Server, insecure_http: bool, http: Http, auth: Auth) -> Self {
        Self { server, insecure_http, http, auth }
    }

    /// JSON of the server.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.json(&Call::get(path)).await
    }

    /// JSON of the server's answer to a call.
    pub async fn json(&self, call: &Call) -> Result<Value> {
        let body = bytes(self.reply(call).await?, MAX_ANSWER_BYTES).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// As [`Api::json`], tried again for a minute or so while the server is away or busy. For calls that may be repeated.
    pub async fn json_patiently(&self, call: &Call) -> Result<Value> {
        let mut tried = 0;
        loop {
            match self.json(call).await {
                Err(failure) if failure.is_passing() && tried + 1 < TRIES => tokio::time::sleep(pause(tried)).await,
                other => return other,
            }
            tried += 1;
        }
    }

    /// A successful answer, its body still to be read. A token that has just expired is renewed once.
    pub async fn reply(&self, call: &Call) -> Result<Response> {
        let token = self.auth.bearer(&self.http, None).await?;
        match self.answer(call, &token).await {
            Err(Failure::Problem(problem)) if problem.status == 401 => {
                let Some(renewed) = self.auth.renewed(&self.http, &token).await? else {
                    return Err(Failure::NotSignedIn(format!("{problem} Run `heimdex login`.")));
                };
                self.answer(call, &renewed).await
            }
            other => other,
        }
    }

    /// The head of a stream's answer has a deadline too.
    async fn answer(&self, call: &Call, token: &str) -> Result<Response> {
        let reply = tokio::time::timeout(DEADLINE + CONNECT_DEADLINE, send(self.request(call, token)));
        let late = |_| Failure::Unreachable(format!("{} did not answer in time.", self.server.as_str()));
        accepted(reply.await.map_err(late)??, &self.server).await
    }

    fn request(&self, call: &Call, token: &str) -> RequestBuilder {
        let mut request = self.http.request(call.method.clone(), &self.server.url(&call.path)).bearer_auth(token);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        match call.deadline {
            Some(deadline) => request.timeout(deadline),
            None => request,
        }
    }

    /// Something at a signed URL of the object storage; no token goes there.
    pub fn signed(&self, method: Method, url: &str) -> Result<RequestBuilder> {
        let url = Url::parse(url).map_err(|error| anyhow::anyhow!("the server gave a broken URL: {error}"))?;
        server::check(&url, self.insecure_http)?;
        Ok(self.http.request(method, url.as_str()))
    }
}

/// What the server tells before anybody signs in.
pub async fn public(http: &Http, server: &Server, path: &str) -> Result<Value> {
    let reply = accepted(send(http.request(Method::GET, &server.url(path)).timeout(DEADLINE)).await?, server).await?;
    let body = bytes(reply, MAX_PROBLEM_BYTES).await?;
    serde_json::from_slice(&body)
        .map_err(|_| Failure::Unreachable(format!("{} answers, but not as a Heimdex server does.", server.as_str())))
}

/// Sends a request; no answer is a failure in words, without the URL, which may be signed.
pub async fn send(request: RequestBuilder) -> Result<Response> {
    request.send().await.map_err(unreachable)
}

/// What the transport says, in words.
pub fn unreachable(error: reqwest::Error) -> Failure {
    let host = error.url().and_then(|url| {
        url.host_str().map(|host| match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    let host = host.unwrap_or_else(|| "the server".into());
    let error = error.without_url();
    if error.is_timeout() {
        return Failure::Unreachable(format!("{host} did not answer in time."));
    }
    let mut root: &dyn std::error::Error = &error;
    while let Some(inner) = root.source() {
        root = inner;
    }
    Failure::Unreachable(format!("{host} cannot be reached: {root}."))
}

/// Turns an answer other than success into its problem.
pub async fn accepted(reply: Response, server: &Server) -> Result<Response> {
    let status = reply.status();
    if status.is_success() {
        return Ok(reply);
    }
    if status.is_redirection() {
        let place =
            reply.headers().get(header::LOCATION).and_then(|place| place.to_str().ok()).unwrap_or("another place");
        return Err(Failure::Unreachable(format!("{} leads to {place}; sign in there.", server.as_str())));
    }
    let is_json = reply
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.contains("json"));
    // A file server or a proxy says no in HTML or XML.
    if status.is_client_error() && !is_json {
        let base = server.as_str();
        return Err(Failure::Unreachable(format!("{base} answers, but not as a Heimdex server does ({status}).")));
    }
    Err(problem(reply).await.into())
}

/// The problem that an answer is.
pub async fn problem(reply: Response) -> Problem {
    let status = reply.status().as_u16();
    let after = reply.headers().get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    let body = bytes(reply, MAX_PROBLEM_BYTES).await.unwrap_or_default();
    Problem::read(status, after, &body)
}

/// A body of bounded length.
pub async fn bytes(mut reply: Response, limit: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = reply.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limit {
            return Err(Failure::Other(anyhow::anyhow!("the answer is longer than {limit} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Before the next try: twice as long each time, at most 20 s, never the same for two programs.
pub fn pause(tried: u32) -> Duration {
    let most = (500_u64 << tried.min(6)).min(20_000);
    Duration::from_millis(rand::random_range(most / 2..=most))
}

/// A path with a query.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_and_empty_values_are_left_out() {
        assert_eq!(with_query("/videos", &[("q", "a&b ü"), ("cursor", "")]), "/videos?q=a%26b+%C3%BC");
        assert_eq!(with_query("/videos", &[("q", "")]), "/videos");
    }

    #[test]
    fn pauses_grow_and_end_at_twenty_seconds() {
        assert!((250..=500).contains(&(pause(0).as_millis() as u64)));
        assert!((10_000..=20_000).contains(&(pause(40).as_millis() as u64)));
    }
}
