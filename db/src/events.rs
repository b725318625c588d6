//! Live progress: what triggers (`0008_notify.sql`, `0015_playback_proxies.sql`, `0020_people.sql`,
//! `0026_operator.sql`) tell on one channel.

use serde::Deserialize;
use sqlx::{PgPool, postgres::PgListener};

use crate::{
    enums::{JobState, VideoState},
    error::DbError,
    ids::{JobId, PersonId, PhotoId, RunId, TaskId, UserId, VideoId},
    stage::Stage,
};

const CHANNEL: &str = "heimdex_events";

/// A change of a job.
#[derive(Clone, Debug, Deserialize)]
pub struct JobEvent {
    pub owner_id: UserId,
    pub video_id: VideoId,
    pub run_id: RunId,
    pub job_id: JobId,
    pub stage: Stage,
    pub state: JobState,
    pub progress: i16,
    pub note: Option<String>,
    pub error_code: Option<String>,
}

/// A change of a video.
#[derive(Clone, Debug, Deserialize)]
pub struct VideoEvent {
    pub owner_id: UserId,
    pub video_id: VideoId,
    pub state: VideoState,
    pub run_id: Option<RunId>,
    pub failure_code: Option<String>,
}

/// A change of a task about a person's video.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskEvent {
    pub owner_id: UserId,
    pub video_id: VideoId,
    pub task_id: TaskId,
    pub kind: String,
    pub state: JobState,
    pub progress: i16,
    pub error_code: Option<String>,
}

/// A photo of a person was checked.
#[derive(Clone, Debug, Deserialize)]
pub struct PhotoEvent {
    pub owner_id: UserId,
    pub person_id: PersonId,
    pub photo_id: PhotoId,
    pub state: String,
    /// Why it was rejected.
    pub code: Option<String>,
}

/// How far the search for a person in the library is; without a person: whose faces are in one video.
#[derive(Clone, Debug, Deserialize)]
pub struct MatchingEvent {
    pub owner_id: UserId,
    pub person_id: Option<PersonId>,
    pub task_id: TaskId,
    pub state: JobState,
    pub progress: i16,
}

/// Something of the installation changed that belongs to nobody: where to look.
#[derive(Clone, Debug, Deserialize)]
pub struct OperationsEvent {
    /// `stages` (one was paused or resumed), `workers` (one came or went) or `tasks` (work of the house went on).
    pub what: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    Job(JobEvent),
    Video(VideoEvent),
    Task(TaskEvent),
    Photo(PhotoEvent),
    Matching(MatchingEvent),
    Operations(OperationsEvent),
}

impl Event {
    /// None where it is nobody's, but the operators'.
    pub fn owner_id(&self) -> Option<UserId> {
        match self {
            Self::Job(event) => Some(event.owner_id),
            Self::Video(event) => Some(event.owner_id),
            Self::Task(event) => Some(event.owner_id),
            Self::Photo(event) => Some(event.owner_id),
            Self::Matching(event) => Some(event.owner_id),
            Self::Operations(_) => None,
        }
    }

    /// None where it is about a person or the installation.
    pub fn video_id(&self) -> Option<VideoId> {
        match self {
            Self::Job(event) => Some(event.video_id),
            Self::Video(event) => Some(event.video_id),
            Self::Task(event) => Some(event.video_id),
            Self::Photo(_) | Self::Matching(_) | Self::Operations(_) => None,
        }
    }
}

/// What came over the wire.
#[derive(Debug)]
pub enum Heard {
    Event(Event),
    /// The connection was lost and made again: something may have been missed, so look at the tables.
    Gap,
}

/// One `LISTEN` session.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    pub async fn connect(pool: &PgPool) -> Result<Self, DbError> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// Waits for the next change. A message that cannot be read (from a newer version) counts as a gap.
    pub async fn next(&mut self) -> Result<Heard, DbError> {
        Ok(match self.0.try_recv().await? {
            Some(message) => serde_json::from_str(message.payload()).map_or(Heard::Gap, Heard::Event),
            None => Heard::Gap,
        })
    }
}
