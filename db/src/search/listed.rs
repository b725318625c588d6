//! Every scene that passes the filters, for a search that asks for nothing else: the newest video first, each from its start.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Asks, Candidate, Filters, Planning, conditions, fetch, push_filters, push_visible};
use crate::{
    error::DbError,
    ids::{SceneId, UserId, VideoId},
};

/// A scene of the list.
#[derive(Clone, Copy, Debug, PartialEq, sqlx::FromRow)]
pub struct Listed {
    /// Its score is 1: none is better than another.
    #[sqlx(flatten)]
    pub candidate: Candidate,
    /// Of the video.
    pub created_at: DateTime<Utc>,
    pub start_ms: i64,
    /// When the text that was asked for can first be read; of several, the first one that was asked for.
    pub at_ms: Option<i64>,
}

/// Where a page ended. The list goes on behind this place whether or not the scene is still there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedAfter {
    pub created_at: DateTime<Utc>,
    pub video_id: VideoId,
    pub start_ms: i64,
    pub scene_id: SceneId,
}

impl Listed {
    /// A page that ends with this scene ends here.
    pub fn place(&self) -> ListedAfter {
        ListedAfter {
            created_at: self.created_at,
            video_id: self.candidate.video_id,
            start_ms: self.start_ms,
            scene_id: self.candidate.scene_id,
        }
    }
}

/// The next scenes of the list.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    filters: &Filters,
    after: Option<&ListedAfter>,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Listed>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT s.run_id, s.scene_id, v.video_id, 1::double precision AS score, v.created_at, s.start_ms, ",
    );
    let written = filters.conditions.iter().find_map(|condition| match &condition.asks {
        Asks::Written(text) if !condition.excluded => Some(text),
        _ => None,
    });
    match written {
        Some(text) => {
            sql.push("(SELECT min(w.start_ms) FROM screen_texts w WHERE ");
            conditions::push_written(&mut sql, text);
            sql.push(")");
        }
        None => {
            sql.push("NULL::bigint");
        }
    }
    sql.push(" AS at_ms FROM scenes s ");
    push_visible(&mut sql, filters);
    sql.push(" WHERE ");
    push_filters(&mut sql, owner, filters);
    if let Some(after) = after {
        sql.push(" AND (v.created_at < ").push_bind(after.created_at);
        sql.push(" OR v.created_at = ").push_bind(after.created_at);
        sql.push(" AND (v.video_id, s.start_ms, s.scene_id) > (").push_bind(after.video_id);
        sql.push(", ").push_bind(after.start_ms).push(", ").push_bind(after.scene_id).push("))");
    }
    sql.push(" ORDER BY v.created_at DESC, v.video_id, s.start_ms, s.scene_id LIMIT ").push_bind(limit);
    fetch(pool, deadline, Planning::Free, sql).await
}
