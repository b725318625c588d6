//! A tool's call: a request to its route as the caller would send it, and the answer as a tool's result.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
    http::{Method, Response, StatusCode, header, request::Parts},
};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject};
use serde_json::Value;
use tower::Service as _;
use url::form_urlencoded;
use uuid::Uuid;

use super::{tell::Links, tools::Tool};
use crate::{error::Code, request_id::RequestId};

/// Below that of every request, so that a model is told in words it can read.
const DEADLINE: Duration = Duration::from_secs(25);
/// Of an answer; every route bounds its own well below.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// Calls the tool's route with the token of the message that asks for it.
pub async fn call(
    tool: &Tool,
    known: &JsonObject,
    arguments: &JsonObject,
    message: &Parts,
    mut routes: Router,
    links: &Links,
) -> CallToolResult {
    let request = match request(tool, known, arguments, message) {
        Ok(request) => request,
        Err((code, sentence)) => return refusal(code, &sentence),
    };
    match tokio::time::timeout(DEADLINE, routes.call(request)).await {
        Ok(Ok(response)) => result(tool, response, links).await,
        Err(_) => refusal(Code::Timeout, "It took too long; try again, or ask for less."),
    }
}

/// Arguments go into the body as they are, or else into path and query.
fn request(
    tool: &Tool,
    known: &JsonObject,
    arguments: &JsonObject,
    message: &Parts,
) -> Result<Request, (Code, String)> {
    let invalid = |sentence: String| (Code::InvalidRequest, sentence);
    let mut request = Request::builder().method(tool.method.clone());
    if let Some(token) = message.headers.get(header::AUTHORIZATION) {
        request = request.header(header::AUTHORIZATION, token);
    }
    if let Some(id) = message.extensions.get::<RequestId>() {
        request = request.extension(id.clone());
    }
    if let Some(peer) = message.extensions.get::<ConnectInfo<SocketAddr>>() {
        request = request.extension(*peer);
    }
    if tool.method == Method::POST {
        let body = serde_json::to_vec(arguments).map_err(|_| invalid("The arguments cannot be read.".into()))?;
        let request = request.uri(tool.path).header(header::CONTENT_TYPE, "application/json").body(Body::from(body));
        return request.map_err(|_| invalid("The arguments cannot be read.".into()));
    }
    let mut path = tool.path.to_owned();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(tool.set);
    query.extend_pairs(tool.unless_given.iter().filter(|(name, _)| arguments.get(*name).is_none_or(Value::is_null)));
    for (name, value) in arguments {
        if !known.contains_key(name) {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            return Err(invalid(format!(
                "There is an argument that this tool does not have; it has: {}.",
                names.join(", ")
            )));
        }
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => return Err(invalid(format!("{name} must be a single value."))),
        };
        let place = format!("{{{name}}}");
        if path.contains(&place) {
            // What is no id belongs to nothing.
            let id: Uuid = text.parse().map_err(|_| (Code::NotFound, format!("{}.", Code::NotFound.title())))?;
            path = path.replace(&place, &id.to_string());
        } else {
            query.append_pair(name, &text);
        }
    }
    if let Some((_, missing)) = path.split_once('{') {
        let name = missing.split('}').next().unwrap_or_default();
        return Err(invalid(format!("{name} is missing.")));
    }
    let request = request.uri(format!("{path}?{}", query.finish())).body(Body::empty());
    request.map_err(|_| invalid("The arguments are too long.".into()))
}

async fn result(tool: &Tool, response: Response<Body>, links: &Links) -> CallToolResult {
    let (parts, body) = response.into_parts();
    let body =
        to_bytes(body, MAX_ANSWER_BYTES).await.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    match body {
        Some(answer) if parts.status == StatusCode::OK => {
            let mut result = CallToolResult::success(vec![ContentBlock::text((tool.tell)(&answer, links))]);
            result.structured_content = Some(answer);
            result
        }
        Some(problem) => {
            let wait = parts.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            CallToolResult::error(vec![ContentBlock::text(told(&problem, wait))])
        }
        None => refusal(Code::Internal, "Something went wrong on our side."),
    }
}

/// Members of a problem that say to people what the sentence says to a model, or nothing about it.
const FORMAL: [&str; 5] = ["type", "title", "status", "detail", "errors"];

/// A problem as lines: the sentence, then what can be acted upon. It is a text alone, since a tool's structured content is what
/// its schema promises.
fn told(problem: &Value, retry_after_s: Option<&str>) -> String {
    let mut lines = vec![problem["detail"].as_str().unwrap_or_default().to_owned()];
    let is_ours = problem["status"].as_u64().is_some_and(|status| status >= 500);
    for (name, value) in problem.as_object().into_iter().flatten() {
        if FORMAL.contains(&name.as_str()) || (name == "request_id" && !is_ours) {
            continue;
        }
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        lines.push(format!("{name}: {value}"));
    }
    for field in problem["errors"].as_array().into_iter().flatten() {
        let text = |name: &str| field[name].as_str().unwrap_or_default();
        lines.push(format!("field {}: {}", text("field"), text("code")));
    }
    lines.extend(retry_after_s.map(|seconds| format!("retry_after_s: {seconds}")));
    lines.join("\n")
}

/// What is wrong before there is a request, in the form of [`told`].
fn refusal(code: Code, sentence: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(format!("{sentence}\ncode: {}", code.as_str()))])
}
