//! What was said, by its words: full-text search with websearch syntax (quotes, `or`, `-`), substrings for languages
//! without spaces, and, when too little has all the words, scenes that have some.

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Candidate, Filters, VISIBLE, fetch, push_filters};
use crate::{error::DbError, ids::UserId, videos::escape_like};

/// Below this many scenes with all the words, scenes with some of them are offered too.
const ENOUGH: i64 = 20;

/// The best scenes for a person's query. The text index holds every word in its language's stem and as it is, hence the
/// query in both forms. A scene that has the very phrase comes before those that only have the words.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Candidate>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new("WITH q AS MATERIALIZED (SELECT websearch_to_tsquery('english', ");
    sql.push_bind(query)
        .push(") || websearch_to_tsquery('simple', ")
        .push_bind(query)
        .push(") AS strict, websearch_to_tsquery('english', ");
    sql.push_bind(query).push(") AS stems, ");
    sql.push_bind((query.chars().count() >= 2).then(|| format!("%{}%", escape_like(query)))).push(
        "::text AS phrase), relaxed AS MATERIALIZED (
            SELECT CASE WHEN numnode(stems) > 0 AND stems::text NOT LIKE '%!%' THEN replace(stems::text, ' & ', ' | ')::tsquery END AS loose FROM q
        ), found AS MATERIALIZED (
            SELECT s.run_id, s.scene_id, s.video_id,
                   (ts_rank_cd(s.text_tsv, q.strict, 1) + CASE WHEN s.text ILIKE q.phrase THEN 1 ELSE 0 END)::double precision AS score
            FROM q CROSS JOIN scenes s ",
    );
    sql.push(VISIBLE).push(" WHERE ");
    push_filters(&mut sql, owner, filters);
    sql.push(
        " AND (s.text_tsv @@ q.strict OR s.text ILIKE q.phrase) ORDER BY score DESC, s.video_id, s.ordinal LIMIT ",
    )
    .push_bind(limit);
    sql.push(
        "), partly AS MATERIALIZED (
            SELECT s.run_id, s.scene_id, s.video_id, (ts_rank(s.text_tsv, relaxed.loose, 1) * 0.001)::double precision AS score
            FROM relaxed CROSS JOIN scenes s ",
    );
    sql.push(VISIBLE).push(" WHERE ");
    push_filters(&mut sql, owner, filters);
    sql.push(" AND s.text_tsv @@ relaxed.loose AND (SELECT count(*) FROM found) < ").push_bind(ENOUGH);
    sql.push(" AND NOT EXISTS (SELECT FROM found f WHERE f.run_id = s.run_id AND f.scene_id = s.scene_id)");
    sql.push(" ORDER BY score DESC, s.video_id, s.ordinal LIMIT ").push_bind(limit);
    sql.push(") SELECT * FROM (SELECT * FROM found UNION ALL SELECT * FROM partly) AS u ORDER BY score DESC, video_id, scene_id LIMIT ").push_bind(limit);
    fetch(pool, deadline, sql).await
}
