//! A video's stages as they go by: the server's event stream, opened anew whenever it breaks. Every opening begins with a
//! snapshot, so nothing is missed in between.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    api::{
        self, Api, Call, TRIES,
        sse::{Event, Stream},
        types::{Job, Jobs, Remark, Video, one_line},
    },
    failure::{Failure, Result},
};

/// A video and the stages of its newest run, as the API gives them.
pub async fn video_and_jobs(api: &Api, video: Uuid) -> Result<(Value, Value)> {
    let (video, jobs) = (format!("/videos/{video}"), format!("/videos/{video}/jobs"));
    tokio::try_join!(api.get(&video), api.get(&jobs))
}

/// What is known of a video that is being followed.
#[derive(Clone, Debug, Deserialize)]
pub struct Watched {
    pub video: Video,
    pub jobs: Jobs,
}

#[derive(Deserialize)]
struct JobChange {
    #[serde(deserialize_with = "one_line")]
    stage: String,
    #[serde(deserialize_with = "one_line")]
    state: String,
    progress: Option<u8>,
    note: Option<String>,
    error_code: Option<String>,
}

#[derive(Deserialize)]
struct VideoChange {
    #[serde(deserialize_with = "one_line")]
    state: String,
}

impl Watched {
    pub async fn read(api: &Api, video: Uuid) -> Result<Self> {
        let (video, jobs) = video_and_jobs(api, video).await?;
        Ok(Self { video: serde_json::from_value(video)?, jobs: serde_json::from_value(jobs)? })
    }

    /// Nothing more happens by itself: indexed with every stage at its end (a re-index keeps the video `indexed`), or failed.
    pub fn is_over(&self) -> bool {
        match self.video.state.as_str() {
            "failed" => true,
            "indexed" => self.jobs.items.iter().all(Job::is_over),
            _ => false,
        }
    }

    /// 0 to 100, over all stages alike.
    pub fn percent(&self) -> u64 {
        let jobs = &self.jobs.items;
        let done: u64 = jobs.iter().map(|job| if job.is_over() { 100 } else { u64::from(job.progress.min(100)) }).sum();
        done / jobs.len().max(1) as u64
    }

    pub fn running(&self) -> Vec<&str> {
        let running = self.jobs.items.iter().filter(|job| job.state == "running");
        running.map(|job| job.stage.as_str()).collect()
    }

    /// What an event changes. False: it changes nothing here.
    fn apply(&mut self, event: &Event) -> Result<bool> {
        match event.name.as_str() {
            "snapshot" => *self = serde_json::from_str(&event.data)?,
            "job" => {
                let change: JobChange = serde_json::from_str(&event.data)?;
                let Some(job) = self.jobs.items.iter_mut().find(|job| job.stage == change.stage) else {
                    return Ok(false);
                };
                job.state = change.state;
                job.progress = change.progress.unwrap_or(job.progress);
                job.note = change.note;
                job.error = change.error_code.map(|code| Remark { message: code.clone(), code });
            }
            "video" => self.video.state = serde_json::from_str::<VideoChange>(&event.data)?.state,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Follows a video until nothing more happens, and tells every change, the first state included. Returns the last state.
pub async fn follow(
    api: &Api,
    video: Uuid,
    patience: Duration,
    mut told: impl FnMut(&Watched) -> Result<()>,
) -> Result<Watched> {
    let end = Instant::now() + patience;
    let mut tried = 0;
    loop {
        let mut seen = false;
        let outcome = tokio::time::timeout_at(end, once(api, video, &mut seen, &mut told)).await;
        if seen {
            tried = 0;
        }
        match outcome {
            // The last word is the server's, with the sentence of a failure.
            Ok(Ok(true)) => return Watched::read(api, video).await,
            // Ended by the server: a restart, or a token at its end.
            Ok(Ok(false)) => {}
            Ok(Err(failure)) if failure.is_passing() && tried + 1 < TRIES => {}
            Ok(Err(failure)) => return Err(failure),
            Err(_) => {
                return Err(Failure::Other(anyhow::anyhow!(
                    "it was not done after {} min; it goes on without being watched",
                    patience.as_secs() / 60
                )));
            }
        }
        tokio::time::sleep(api::pause(tried)).await;
        tried += 1;
    }
}

/// One stream; true when the video has come to its end.
async fn once(api: &Api, video: Uuid, seen: &mut bool, told: &mut impl FnMut(&Watched) -> Result<()>) -> Result<bool> {
    let call = Call::get(format!("/videos/{video}/events")).deadline(None);
    let mut stream = Stream::new(api.reply(&call).await?);
    let mut watched: Option<Watched> = None;
    while let Some(event) = stream.next().await? {
        *seen = true;
        let changed = match &mut watched {
            Some(watched) => watched.apply(&event)?,
            None if event.name == "snapshot" => {
                watched = Some(serde_json::from_str(&event.data)?);
                true
            }
            None => false,
        };
        let Some(watched) = watched.as_ref().filter(|_| changed) else { continue };
        told(watched)?;
        if watched.is_over() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The ids of the videos that are being sent or indexed, of the first event of the owner's stream.
pub async fn under_way(api: &Api) -> Result<Vec<Uuid>> {
    let call = Call::get("/events").deadline(Some(api::DEADLINE));
    let mut stream = Stream::new(api.reply(&call).await?);
    while let Some(event) = stream.next().await? {
        if event.name == "snapshot" {
            let snapshot: Value = serde_json::from_str(&event.data)?;
            let busy = |video: &&Value| {
                !video["progress"].is_null()
                    || matches!(video["state"].as_str(), Some("uploading" | "validating" | "processing"))
            };
            let videos = snapshot["videos"].as_array().into_iter().flatten().filter(busy);
            return Ok(videos.filter_map(|video| Uuid::try_parse(video["video_id"].as_str()?).ok()).collect());
        }
    }
    Err(Failure::Unreachable("The server ended the stream before it said anything.".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(state: &str, jobs: &[(&str, &str, u8)]) -> Watched {
        let items: Vec<Value> = jobs
            .iter()
            .map(|(stage, state, progress)| serde_json::json!({ "stage": stage, "state": state, "progress": progress }))
            .collect();
        serde_json::from_value(serde_json::json!({
            "video": {
                "video_id": "0193c0de-0000-7000-8000-000000000001", "title": "Rain", "state": state,
                "original_filename": "rain.mp4", "size_bytes": 1, "created_at": "2026-11-21T20:00:00Z",
            },
            "jobs": { "run_id": null, "items": items },
        }))
        .unwrap()
    }

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.into(), data: data.into() }
    }

    #[test]
    fn a_video_is_done_when_it_is_indexed_and_no_stage_goes_on() {
        assert!(!watched("uploading", &[]).is_over());
        assert!(!watched("processing", &[("commit", "completed", 100)]).is_over());
        assert!(!watched("indexed", &[("asr_fast", "running", 5)]).is_over());
        assert!(watched("indexed", &[("asr_fast", "completed", 100), ("commit", "cancelled", 0)]).is_over());
        assert!(watched("failed", &[("asr_fast", "pending", 0)]).is_over());
    }

    #[test]
    fn events_change_what_is_known() {
        let mut rain = watched("processing", &[("asr_fast", "pending", 0), ("commit", "pending", 0)]);
        let change =
            event("job", r#"{"stage":"asr_fast","state":"running","progress":50,"note":null,"error_code":null}"#);
        assert!(rain.apply(&change).unwrap());
        assert_eq!((rain.percent(), rain.running()), (25, vec!["asr_fast"]));
        assert!(rain.apply(&event("video", r#"{"state":"failed","failure_code":"x"}"#)).unwrap());
        assert!(rain.is_over());
        assert!(!rain.apply(&event("task", "{}")).unwrap());
    }
}
