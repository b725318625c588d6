//! Everything durable: the schema and its migrations, typed queries, the stage graph and the job ledger, the queue push,
//! object keys and the S3 client. SQL lives only here, and ownership is always in the `WHERE`.

pub mod api_tokens;
pub mod audit;
pub mod auth_credentials;
pub mod auth_flows;
pub mod auth_keys;
pub mod auth_one_time;
pub mod auth_rate_limits;
pub mod auth_sessions;
pub mod clips;
pub mod enums;
pub mod error;
pub mod events;
pub mod export;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod keys;
pub mod ledger;
pub mod mail;
pub mod maintenance;
pub mod moments;
pub mod operator;
pub mod people;
pub mod pool;
pub mod proxies;
pub mod queue;
pub mod queue_events;
pub mod quotas;
pub mod role_profiles;
pub mod runs;
pub mod scenes;
pub mod schema;
pub mod search;
pub mod shares;
pub mod stage;
pub mod store;
pub mod tag_labels;
pub mod tasks;
pub mod transcripts;
pub mod uploads;
pub mod users;
pub mod vector_indexes;
pub mod vectors;
pub mod videos;
pub mod workers;

pub use enums::{JobState, UserTier, VideoState};
pub use error::DbError;
pub use ids::{AttemptId, ClipId, JobId, PersonId, PhotoId, RunId, SceneId, ShareId, TaskId, UserId, VideoId};
pub use pool::connect;
pub use schema::migrate;
pub use sqlx::{PgConnection, PgPool};
pub use stage::Stage;

/// A transaction that its holder may keep as long as it likes.
pub type Tx = sqlx::Transaction<'static, sqlx::Postgres>;
