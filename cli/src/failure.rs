//! Why a command did not do what was asked, and with which exit code it ends. A failure names what the person can do; the code
//! is for scripts (`docs/cli.md`).

use std::io;

use serde_json::{Map, Value, json};

use crate::output::harmless;

pub type Result<T> = std::result::Result<T, Failure>;

/// Exit codes. Append only; 0 is success and 130 what shells give to Ctrl-C.
pub mod exit {
    pub const FAILED: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const NOT_SIGNED_IN: u8 = 3;
    pub const NOT_FOUND: u8 = 4;
    pub const NOT_ALLOWED: u8 = 5;
    pub const LIMIT: u8 = 6;
    pub const UNREACHABLE: u8 = 7;
    pub const INTERRUPTED: u8 = 130;
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server said no.
    #[error("{0}")]
    Problem(Box<Problem>),
    #[error("{0}")]
    NotSignedIn(String),
    /// What was typed cannot be meant.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    NotFound(String),
    /// No answer, or none that a Heimdex server gives.
    #[error("{0}")]
    Unreachable(String),
    /// Ctrl-C or SIGTERM, and what that means for the work.
    #[error("Stopped. {0}")]
    Interrupted(&'static str),
    /// Everything has been said; only the exit code is left.
    #[error("failed")]
    Reported(u8),
    /// Whoever read our output has enough.
    #[error("nobody reads the output any more")]
    PipeClosed,
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

/// An answer other than success: problem+json of the API, or an error of the auth server in the same shape.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    pub status: u16,
    /// Stable; empty where the answer had none.
    pub code: String,
    /// A sentence.
    pub detail: String,
    pub request_id: Option<String>,
    pub retry_after_s: Option<u64>,
    /// Whatever belongs to the code: `column`, `missing`, `limit`, …
    pub extra: Map<String, Value>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)?;
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl Problem {
    /// From the body of an answer; anything that is no JSON object has its status alone. Its texts are safe to print.
    pub fn read(status: u16, retry_after_s: Option<u64>, body: &[u8]) -> Self {
        let mut fields = match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let text = |names: &[&str]| {
            names.iter().find_map(|name| match fields.get(*name) {
                Some(Value::String(text)) => Some(harmless(text)).filter(|text| !text.is_empty()),
                _ => None,
            })
        };
        // The API's names first, then those of the auth server's formats.
        let detail = text(&["detail", "title", "message", "msg", "error_description", "error"]);
        let code = text(&["code", "error_code", "error"]).unwrap_or_default();
        let request_id = text(&["request_id"]);
        for name in ["type", "title", "status", "code", "detail", "request_id"] {
            fields.remove(name);
        }
        let detail = detail.unwrap_or_else(|| format!("The server answered {status} and did not say why."));
        Self { status, code, detail, request_id, retry_after_s, extra: fields }
    }

    /// Whether another try may go better.
    pub fn is_passing(&self) -> bool {
        let soon = self.retry_after_s.is_none_or(|seconds| seconds <= 30);
        soon && (matches!(self.status, 408 | 429) || self.status >= 500 && self.status != 501)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(anyhow::Error::new(error).context("the server's answer has another form than this program knows"))
    }
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Problem(problem) => match problem.status {
                400 | 422 => exit::USAGE,
                401 => exit::NOT_SIGNED_IN,
                402 | 403 => exit::NOT_ALLOWED,
                404 => exit::NOT_FOUND,
                413 | 429 => exit::LIMIT,
                502..=504 => exit::UNREACHABLE,
                _ => exit::FAILED,
            },
            Self::NotSignedIn(_) => exit::NOT_SIGNED_IN,
            Self::Usage(_) => exit::USAGE,
            Self::NotFound(_) => exit::NOT_FOUND,
            Self::Unreachable(_) => exit::UNREACHABLE,
            Self::Interrupted(_) => exit::INTERRUPTED,
            Self::Reported(code) => *code,
            Self::PipeClosed => 0,
            Self::Other(_) => exit::FAILED,
        }
    }

    /// The problem of this code, if it is one.
    pub fn problem(&self, code: &str) -> Option<&Problem> {
        match self {
            Self::Problem(problem) if problem.code == code => Some(problem),
            _ => None,
        }
    }

    /// Whether another try may go better.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.is_passing(),
            Self::Unreachable(_) => true,
            _ => false,
        }
    }

    /// What `--json` prints of it.
    pub fn to_json(&self) -> Value {
        let mut error = json!({ "message": self.to_string(), "exit_code": self.exit_code() });
        if let Self::Problem(problem) = self {
            error["message"] = json!(problem.detail);
            error["code"] = json!(problem.code);
            error["status"] = json!(problem.status);
            error["request_id"] = json!(problem.request_id);
            if let (Some(column), Some(end)) = (problem.extra.get("column"), problem.extra.get("column_end")) {
                error["column"] = column.clone();
                error["column_end"] = end.clone();
            }
        }
        json!({ "error": error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_the_api_keeps_its_sentence_its_request_and_what_belongs_to_it() {
        let body = br#"{"type":"urn:heimdex:problem:invalid_request","title":"t","status":400,"code":"invalid_request",
            "detail":"tag: wants a value.","request_id":"r1","column":3,"column_end":7}"#;
        let failure = Failure::from(Problem::read(400, None, body));
        assert_eq!(
            (failure.to_string(), failure.exit_code()),
            ("tag: wants a value. (request r1)".into(), exit::USAGE)
        );
        assert_eq!(failure.to_json()["error"]["column"], 3);
    }

    #[test]
    fn an_error_of_the_auth_server_is_read_in_each_of_its_formats() {
        for body in [
            r#"{"code":"invalid_credentials","error_code":"invalid_credentials","message":"Invalid login credentials"}"#,
            r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}"#,
            r#"{"error":"invalid_credentials","error_description":"Invalid login credentials"}"#,
        ] {
            let problem = Problem::read(400, None, body.as_bytes());
            assert_eq!((&*problem.code, &*problem.detail), ("invalid_credentials", "Invalid login credentials"));
        }
    }

    #[test]
    fn a_sentence_of_the_server_cannot_steer_the_terminal() {
        let body = "{\"detail\":\"no \\u001b]0;owned\\u0007such\\nvideo\",\"request_id\":\"\\u001b[2Jr1\"}";
        assert_eq!(Problem::read(404, None, body.as_bytes()).to_string(), "no ]0;owned such video (request [2Jr1)");
    }

    #[test]
    fn a_page_of_somebody_elses_server_has_its_status_alone() {
        let problem = Problem::read(502, None, b"<html>Bad Gateway</html>");
        assert_eq!(problem.to_string(), "The server answered 502 and did not say why.");
        assert_eq!(Failure::from(problem).exit_code(), exit::UNREACHABLE);
    }

    #[test]
    fn a_limit_that_lasts_till_tomorrow_is_not_tried_again() {
        assert!(Problem { status: 429, retry_after_s: Some(2), ..Problem::default() }.is_passing());
        assert!(!Problem { status: 429, retry_after_s: Some(40_000), ..Problem::default() }.is_passing());
    }
}
