//! Typed ids. Each is a UUID in the database, in JSON and on the wire; mixing two kinds does not compile.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id, ordered by time (UUIDv7).
            #[expect(clippy::new_without_default, reason = "an id is never a default value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A person (`users`).
    UserId,
    /// A video (`videos`).
    VideoId,
    /// One indexing of one video (`runs`).
    RunId,
    /// One stage of one run (`jobs`).
    JobId,
    /// Work that is no stage (`tasks`).
    TaskId,
    /// One try at a job or a task (`job_attempts`).
    AttemptId,
    /// A scene (`scenes`); see [`SceneId::derive`].
    SceneId,
    /// A person who may be seen in videos (`face_profiles`).
    PersonId,
    /// A photo of a person (`face_photos`).
    PhotoId,
    /// A part of a video as a file (`clips`).
    ClipId,
    /// A link to a moment (`shares`).
    ShareId,
}

impl SceneId {
    /// UUIDv5 of `"{start_ms}-{end_ms}"` in the namespace of the video's own id, so that a link to a scene survives a
    /// re-index that finds the same scene again.
    pub fn derive(video_id: VideoId, start_ms: i64, end_ms: i64) -> Self {
        Self(Uuid::new_v5(&video_id.0, format!("{start_ms}-{end_ms}").as_bytes()))
    }
}
