//! The parts of the API's answers that this program looks at. Unknown fields are left alone, so an older program reads a newer
//! server.

use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::output::harmless;

/// A word of the server's that is printed as it is: on one line, and nothing that a terminal would obey.
pub fn one_line<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    String::deserialize(text).map(|text| harmless(&text))
}

#[derive(Clone, Debug, Deserialize)]
pub struct Video {
    pub video_id: Uuid,
    pub title: String,
    /// `uploading`, `validating`, `processing`, `indexed` or `failed`
    #[serde(deserialize_with = "one_line")]
    pub state: String,
    pub original_filename: String,
    pub size_bytes: u64,
    pub duration_ms: Option<u64>,
    /// RFC 3339
    #[serde(deserialize_with = "one_line")]
    pub created_at: String,
    pub failure: Option<Remark>,
    pub progress: Option<Progress>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Remark {
    pub code: String,
    pub message: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Progress {
    /// 0 to 100
    pub percent: u8,
    #[serde(default)]
    pub active_stages: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Jobs {
    pub items: Vec<Job>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Job {
    #[serde(deserialize_with = "one_line")]
    pub stage: String,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`
    #[serde(deserialize_with = "one_line")]
    pub state: String,
    /// 0 to 100
    pub progress: u8,
    #[serde(default)]
    pub attempts: u32,
    pub note: Option<String>,
    pub error: Option<Remark>,
}

impl Job {
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "failed" | "cancelled")
    }
}

#[derive(Debug, Deserialize)]
pub struct Hit {
    pub video_id: Uuid,
    pub video_title: String,
    /// Where the player should jump.
    pub at_ms: u64,
    pub text: String,
    /// Parts of `text`, in UTF-16 code units.
    #[serde(default)]
    pub highlights: Vec<Span>,
    #[serde(default)]
    pub matches: Vec<Match>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Deserialize)]
pub struct Match {
    #[serde(deserialize_with = "one_line")]
    pub channel: String,
    /// A sentence.
    pub detail: String,
}

#[derive(Debug, Deserialize)]
pub struct PartUrl {
    pub part_number: u32,
    pub url: String,
}

/// `GET /videos/{id}/uploads/parts`.
#[derive(Debug, Deserialize)]
pub struct StoredParts {
    pub part_size_bytes: u64,
    pub part_count: u32,
    pub size_bytes: u64,
    pub parts: Vec<StoredPart>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct StoredPart {
    pub part_number: u32,
    pub etag: String,
    pub size_bytes: u64,
}

/// The answer to `POST /videos/uploads`.
#[derive(Debug, Deserialize)]
pub struct Announced {
    pub video_id: Uuid,
    pub upload: UploadPlan,
}

#[derive(Debug, Deserialize)]
pub struct UploadPlan {
    pub part_size_bytes: u64,
    pub part_count: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_server_cannot_steer_the_terminal() {
        let job: Job =
            serde_json::from_str(r#"{"stage":"asr\u001b[2J","state":"running\u009b31m","progress":5}"#).unwrap();
        assert_eq!((&*job.stage, &*job.state), ("asr [2J", "running 31m"));
    }
}
