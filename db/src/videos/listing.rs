//! The library's list: a page of an owner's videos, narrowed and in an order.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgExecutor, Postgres, QueryBuilder};

use super::{SELECT, VideoRow, like_part};
use crate::{
    enums::VideoState,
    error::DbError,
    ids::{UserId, VideoId},
};

/// The order of a list. Videos with equal values are told apart by their id, so every order is total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    Title,
    /// The longest first; those whose length is not known yet at the end.
    Duration,
    /// The last indexed first; those that never were at the end.
    Indexed,
}

/// Where the last page ended: the last video's value in the order, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    CreatedAt(DateTime<Utc>, VideoId),
    Title(String, VideoId),
    /// Milliseconds.
    Duration(Option<i64>, VideoId),
    IndexedAt(Option<DateTime<Utc>>, VideoId),
}

/// Which videos, in which order, from where.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    pub state: Option<VideoState>,
    /// Words or a part of the title.
    pub text: Option<String>,
    /// One of the owner's tags, as it is written.
    pub tag: Option<String>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
    /// Of the stored file.
    pub size_bytes: Option<i64>,
    pub sort: Sort,
    pub after: Option<After>,
    pub limit: i64,
}

/// What a position in a list is made of.
#[derive(Clone, Debug, FromRow)]
pub struct ListedRow {
    pub video_id: VideoId,
    pub title: String,
    pub created_at: DateTime<Utc>,
    pub indexed_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<i64>,
}

/// A page of an owner's videos.
pub async fn list(db: impl PgExecutor<'_>, owner: UserId, query: &ListQuery) -> Result<Vec<VideoRow>, DbError> {
    // The page is chosen first: the rest of a row, above all its progress, is read for what is shown and nothing else.
    let mut sql = QueryBuilder::<Postgres>::new(SELECT);
    sql.push(" WHERE v.video_id = ANY (ARRAY(SELECT v.video_id");
    choose(&mut sql, owner, query);
    sql.push("))").push(order(query.sort));
    Ok(sql.build_query_as().fetch_all(db).await?)
}

/// A page of the same list, without what only a page that is shown needs.
pub async fn list_ids(db: impl PgExecutor<'_>, owner: UserId, query: &ListQuery) -> Result<Vec<ListedRow>, DbError> {
    let mut sql =
        QueryBuilder::<Postgres>::new("SELECT v.video_id, v.title, v.created_at, v.indexed_at, m.duration_ms");
    choose(&mut sql, owner, query);
    Ok(sql.build_query_as().fetch_all(db).await?)
}

/// Everything after the columns, up to the limit.
fn choose(sql: &mut QueryBuilder<Postgres>, owner: UserId, query: &ListQuery) {
    sql.push(" FROM videos v LEFT JOIN video_metadata m USING (video_id) WHERE v.state <> 'deleted' AND v.owner_id = ");
    sql.push_bind(owner);
    if let Some(state) = query.state {
        sql.push(" AND v.state = ").push_bind(state);
    }
    if let Some(text) = &query.text {
        sql.push(" AND (v.title_tsv @@ websearch_to_tsquery('simple', ").push_bind(text).push(") OR v.title ILIKE ");
        sql.push_bind(like_part(text)).push(")");
    }
    if let Some(tag) = &query.tag {
        sql.push(" AND v.tags @> ARRAY[").push_bind(tag).push("]");
    }
    if let Some(at) = query.created_after {
        sql.push(" AND v.created_at >= ").push_bind(at);
    }
    if let Some(at) = query.created_before {
        sql.push(" AND v.created_at < ").push_bind(at);
    }
    if let Some(size) = query.size_bytes {
        sql.push(" AND v.size_bytes = ").push_bind(size);
    }
    go_on(sql, query);
    sql.push(order(query.sort)).push(" LIMIT ").push_bind(query.limit);
}

/// Begins behind the last page. A position of another order is none.
fn go_on(sql: &mut QueryBuilder<Postgres>, query: &ListQuery) {
    match (query.sort, &query.after) {
        (Sort::Newest, Some(After::CreatedAt(at, id))) => {
            sql.push(" AND (v.created_at, v.video_id) < (").push_bind(*at).push(", ").push_bind(*id).push(")");
        }
        (Sort::Oldest, Some(After::CreatedAt(at, id))) => {
            sql.push(" AND (v.created_at, v.video_id) > (").push_bind(*at).push(", ").push_bind(*id).push(")");
        }
        (Sort::Title, Some(After::Title(title, id))) => {
            sql.push(" AND (lower(v.title), v.video_id) > (lower(").push_bind(title);
            sql.push("), ").push_bind(*id).push(")");
        }
        (Sort::Duration, Some(After::Duration(duration_ms, id))) => {
            sql.push(" AND (COALESCE(m.duration_ms, -1), v.video_id) < (COALESCE(").push_bind(*duration_ms);
            sql.push("::bigint, -1), ").push_bind(*id).push(")");
        }
        (Sort::Indexed, Some(After::IndexedAt(at, id))) => {
            sql.push(" AND (COALESCE(v.indexed_at, '-infinity'::timestamptz), v.video_id) < (COALESCE(").push_bind(*at);
            sql.push("::timestamptz, '-infinity'::timestamptz), ").push_bind(*id).push(")");
        }
        _ => {}
    }
}

const fn order(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => " ORDER BY v.created_at DESC, v.video_id DESC",
        Sort::Oldest => " ORDER BY v.created_at, v.video_id",
        Sort::Title => " ORDER BY lower(v.title), v.video_id",
        Sort::Duration => " ORDER BY COALESCE(m.duration_ms, -1) DESC, v.video_id DESC",
        Sort::Indexed => " ORDER BY COALESCE(v.indexed_at, '-infinity'::timestamptz) DESC, v.video_id DESC",
    }
}
