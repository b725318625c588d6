//! Search, one module a channel, each one SQL statement. Every statement starts from the owner and sees only visible runs.
//! Fusing the channels is the caller's business. `listed` is what a search gets that has filters and nothing else.

mod conditions;
mod evidence;
mod hits;
mod listed;
mod log;
mod names;
mod near;
mod plan;
mod saved;
mod sound;
mod suggest;
mod tagged;
mod titled;
mod vector_search;
mod who;
mod words;
mod written;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgPool, Postgres, QueryBuilder, Transaction, postgres::PgRow};
use std::time::Duration;
use uuid::Uuid;

pub use conditions::{Asks, Condition, has_no_spaces};
pub use evidence::{Evidence, faces, writing};
pub use hits::{HitRow, HitWord, hits};
pub use listed::{Listed, ListedAfter, candidates as listed};
pub use log::{AskedBefore, KEPT as KEPT_SEARCHES, forget, history, record};
pub use names::{Called, people_called, unused_tags};
pub use near::{BestFrame, Embedding, Near, NoVectors, best_frames, models, of_scene};
pub use plan::{Planned, explain};
pub use saved::{MAX_SAVED, SavedSearch, change_saved, delete_saved, save, saved};
pub use suggest::{SavedAs, recent_queries, saved_as, texts_with, titles};
pub use tagged::{InEnglish, Tagged, candidates as tagged, in_english, without_particle};
pub use titled::candidates as titled;
pub use vector_search::VectorSearch;
pub use who::candidates as who;
pub use words::{SOME_WORDS, Said, candidates as words};
pub use written::{Written, candidates as written};

use crate::{
    error::DbError,
    ids::{PersonId, RunId, SceneId, UserId, VideoId},
};

/// A scene that a channel found, best first.
#[derive(Clone, Copy, Debug, PartialEq, sqlx::FromRow)]
pub struct Candidate {
    pub run_id: RunId,
    pub scene_id: SceneId,
    pub video_id: VideoId,
    /// The channel's own measure, higher is better: comparable within a channel only.
    pub score: f64,
}

/// Runs and scenes of what was found, side by side: `unnest` puts them together again.
fn places(found: &[Candidate]) -> (Vec<Uuid>, Vec<Uuid>) {
    found.iter().map(|c| (c.run_id.0, c.scene_id.0)).unzip()
}

/// Narrows a search; a field that is `None` narrows nothing.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    pub video_ids: Option<Vec<VideoId>>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
    pub min_duration_ms: Option<i64>,
    pub max_duration_ms: Option<i64>,
    /// ISO 639-1, lowercase.
    pub languages: Option<Vec<String>>,
    /// Of the video or of the scene; any of them. Of a scene also what a tag is called in any language.
    pub tags: Option<Vec<String>>,
    /// Bounds on affect; a scene without a value is outside of any bound.
    pub affect: Vec<AffectBound>,
    /// Any of them is in the scene.
    pub people: Option<Vec<PersonId>>,
    /// All of them hold.
    pub conditions: Vec<Condition>,
    /// Only videos of which a run was visible then, so that later pages see what the first one saw.
    pub as_of: Option<DateTime<Utc>>,
}

/// A dimension of affect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affect {
    Valence,
    Arousal,
    Energy,
}

impl Affect {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Valence => "valence",
            Self::Arousal => "arousal",
            Self::Energy => "energy",
        }
    }
}

/// Both ends are inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AffectBound {
    pub affect: Affect,
    pub min: f64,
    pub max: f64,
}

/// Adds the join that every channel shares; `s` is the channel's row with `run_id`, `scene_id` and `owner_id`. A run that is a video's
/// current one is there, so that what is joined from the left leaves nothing out; it is joined where a filter may ask for it, since the
/// planner takes its time even for what it finds unneeded.
fn push_visible(sql: &mut QueryBuilder<Postgres>, filters: &Filters) {
    sql.push(" JOIN videos v ON v.current_run_id = s.run_id ");
    if filters.narrows() || filters.as_of.is_some() {
        sql.push("LEFT JOIN runs r ON r.run_id = s.run_id LEFT JOIN video_metadata m ON m.video_id = v.video_id ");
    }
}

/// So many rows that match are ranked, at most. A word that more scenes have than that says little about which of them is meant: those
/// that the index has first stand for them.
const RANKED: i64 = 1000;

impl Filters {
    /// Something other than the owner and what is visible is asked of a scene.
    fn narrows(&self) -> bool {
        let Self {
            video_ids,
            created_after,
            created_before,
            min_duration_ms,
            max_duration_ms,
            languages,
            tags,
            affect,
            people,
            conditions,
            as_of: _,
        } = self;
        let of_video = video_ids.is_some() || created_after.is_some() || created_before.is_some();
        let of_file = min_duration_ms.is_some() || max_duration_ms.is_some() || languages.is_some();
        of_video || of_file || tags.is_some() || !affect.is_empty() || people.is_some() || !conditions.is_empty()
    }
}

fn push_filters(sql: &mut QueryBuilder<Postgres>, owner: UserId, filters: &Filters) {
    sql.push(" s.owner_id = ")
        .push_bind(owner)
        .push(" AND v.owner_id = ")
        .push_bind(owner)
        .push(" AND v.state <> 'deleted'");
    if let Some(ids) = &filters.video_ids {
        sql.push(" AND v.video_id = ANY(").push_bind(ids.iter().map(|id| id.0).collect::<Vec<Uuid>>()).push(")");
    }
    if let Some(after) = filters.created_after {
        sql.push(" AND v.created_at >= ").push_bind(after);
    }
    if let Some(before) = filters.created_before {
        sql.push(" AND v.created_at < ").push_bind(before);
    }
    if let Some(min) = filters.min_duration_ms {
        sql.push(" AND m.duration_ms >= ").push_bind(min);
    }
    if let Some(max) = filters.max_duration_ms {
        sql.push(" AND m.duration_ms <= ").push_bind(max);
    }
    if let Some(languages) = &filters.languages {
        // "en (assumed)" is English.
        sql.push(" AND split_part(lower(r.language), ' ', 1) = ANY(").push_bind(languages.clone()).push(")");
    }
    if let Some(tags) = &filters.tags {
        sql.push(" AND (v.tags && ").push_bind(tags.clone());
        sql.push(" OR EXISTS (SELECT FROM scene_tags t WHERE t.run_id = s.run_id AND t.scene_id = s.scene_id AND (t.tag = ANY(");
        sql.push_bind(tags.clone()).push(") OR t.tag IN (SELECT l.tag FROM tag_labels l WHERE lower(l.label) = ANY(");
        sql.push_bind(tags.iter().map(|tag| tag.to_lowercase()).collect::<Vec<_>>()).push(")))))");
    }
    for bound in &filters.affect {
        sql.push(" AND EXISTS (SELECT FROM scenes f WHERE f.run_id = s.run_id AND f.scene_id = s.scene_id AND (f.affect -> '");
        sql.push(bound.affect.as_str()).push("' ->> 'value')::double precision BETWEEN ");
        sql.push_bind(bound.min).push(" AND ").push_bind(bound.max).push(")");
    }
    if let Some(people) = &filters.people {
        sql.push(" AND ");
        conditions::push_people(sql, people);
    }
    for condition in &filters.conditions {
        conditions::push(sql, condition);
    }
    if let Some(as_of) = filters.as_of {
        // A video that was indexed again since then was there before.
        sql.push(" AND (r.visible_at <= ").push_bind(as_of);
        sql.push(" OR EXISTS (SELECT FROM runs o WHERE o.video_id = v.video_id AND o.visible_at <= ").push_bind(as_of);
        sql.push("))");
    }
}

/// What is forbidden to the planner of a statement, which guesses some costs badly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Planning {
    /// Nothing.
    Free,
    /// To hash all of the owner's videos for the rows that were found: of five thousand that takes longer than to look up those few.
    NoHash,
    /// To sort them for that, too.
    LookUp,
    /// To sort what an index has in order.
    InOrder,
    /// Bitmaps too: for each video of the owner it would collect all of their scenes from an index of words, which are by their owners as
    /// well, and take those of the video. Of 20,000 scenes in 200 videos that is seven tenths of a second instead of a fortieth. Nor does it
    /// know what it costs to walk an HNSW index, which keeps so many vectors in sight.
    Vectors { looked_at: i64 },
}

impl Planning {
    /// Of rows that an index finds by their words: each looks up its video, unless filters leave so few videos that it may be better to begin
    /// with those.
    fn of_matches(filters: &Filters) -> Self {
        if filters.narrows() { Self::NoHash } else { Self::LookUp }
    }
}

/// A read that gives up after `deadline`, and is planned for what it asks: libraries differ in size by four orders of magnitude, and
/// a plan for the average one is wrong for each. A search in an HNSW index goes on until the filters have enough, within bounds. To
/// compile a statement, or to start others to help with it, takes longer than to carry it out.
async fn bounded(
    pool: &PgPool,
    deadline: Duration,
    planning: Planning,
) -> Result<Transaction<'static, Postgres>, DbError> {
    let on = |allowed| if allowed { "on" } else { "off" };
    let looked_at = if let Planning::Vectors { looked_at } = planning { looked_at } else { near::looked_at(0.0) };
    // In one message: a search has nine of these, and each more would be a way there and back.
    let begin = format!(
        "BEGIN; SET LOCAL statement_timeout = {}; SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off;
         SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_sort = {}; SET LOCAL enable_bitmapscan = {};
         SET LOCAL enable_hashjoin = {}; SET LOCAL enable_mergejoin = {}; SET LOCAL hnsw.iterative_scan = relaxed_order;
         SET LOCAL hnsw.ef_search = {}; SET LOCAL hnsw.max_scan_tuples = 40000; SET LOCAL pg_trgm.word_similarity_threshold = {}",
        deadline.as_millis().clamp(1, i32::MAX as u128),
        on(!matches!(planning, Planning::InOrder | Planning::Vectors { .. })),
        on(!matches!(planning, Planning::Vectors { .. })),
        on(!matches!(planning, Planning::NoHash | Planning::LookUp)),
        on(planning != Planning::LookUp),
        looked_at,
        written::FLOOR,
    );
    Ok(pool.begin_with(AssertSqlSafe(begin)).await?)
}

/// The rows of a statement, if they are there by the deadline; see [`bounded`].
async fn fetch<T>(
    pool: &PgPool,
    deadline: Duration,
    planning: Planning,
    mut sql: QueryBuilder<Postgres>,
) -> Result<Vec<T>, DbError>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut tx = bounded(pool, deadline, planning).await?;
    let found = sql.build_query_as().fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(found)
}

/// The statement was cancelled by its own deadline (`query_canceled`).
pub fn is_timeout(error: &DbError) -> bool {
    matches!(error, DbError::Sqlx(sqlx::Error::Database(database)) if database.code().as_deref() == Some("57014"))
}
