//! What was written on screen: substrings, which is right for languages without spaces too; for misspellings and misreadings, words
//! that share most of their trigrams (`pg_trgm`'s word similarity); and signs that have at least half of a longer query's words.

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Candidate, Filters, VISIBLE, bounded, push_filters};
use crate::{error::DbError, ids::UserId, videos::escape_like};

/// Word similarity below which a text says something else: of seven letters one may be wrong.
const FLOOR: &str = "0.55";

/// Words of a query that are looked for one by one.
const WORDS: i64 = 12;
/// Lines with any of them that are looked at.
const LINES: i64 = 2000;

/// A scene whose pictures have the query in writing.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Written {
    /// Its score is 1 and more where the query is there letter by letter, else the word similarity, or, where at least half of the
    /// words are there, 0.5 and for their share up to 0.45 more.
    #[sqlx(flatten)]
    pub candidate: Candidate,
    /// The best line of the scene, and when it can first be read.
    pub text: String,
    pub at_ms: i64,
}

/// The best scenes for a person's query, each with its best line. A line that is nothing but the query comes before one
/// that merely has it.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Written>, DbError> {
    let query = query.trim().trim_matches('"').trim();
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::<Postgres>::new(
        "WITH stems AS MATERIALIZED (SELECT array_to_tsvector(ARRAY[stem])::text::tsquery AS stem, n FROM unnest(tsvector_to_array(to_tsvector('english', ",
    );
    sql.push_bind(query).push("))) WITH ORDINALITY AS each (stem, n) LIMIT ").push_bind(WORDS);
    sql.push("), lines AS MATERIALIZED (SELECT s.run_id, s.scene_id, v.video_id, s.text, s.start_ms AS at_ms FROM screen_texts s ");
    sql.push(VISIBLE).push(" WHERE ");
    push_filters(&mut sql, owner, filters);
    sql.push(
        " AND to_tsvector('english', s.text) @@ (SELECT string_agg(stem::text, ' | ')::tsquery FROM stems) LIMIT ",
    )
    .push_bind(LINES);
    sql.push(
        "), worded AS MATERIALIZED (
            SELECT l.run_id, l.scene_id, (array_agg(l.text ORDER BY l.own DESC, l.at_ms, l.text))[1] AS text, min(l.at_ms) AS at_ms,
                   (SELECT count(DISTINCT n) FROM lines i JOIN stems ON to_tsvector('english', i.text) @@ stem WHERE i.run_id = l.run_id AND i.scene_id = l.scene_id)
                   / (SELECT count(*) FROM stems)::double precision AS share, l.video_id
            FROM (SELECT i.*, (SELECT count(*) FROM stems WHERE to_tsvector('english', i.text) @@ stem) AS own FROM lines i) AS l
            GROUP BY l.run_id, l.scene_id, l.video_id
        ), found AS MATERIALIZED (SELECT s.run_id, s.scene_id, v.video_id, s.text, s.start_ms AS at_ms,
            (CASE WHEN s.text ILIKE ",
    );
    let phrase = format!("%{}%", escape_like(query));
    sql.push_bind(phrase.clone()).push(" THEN 1 + least(1, char_length(");
    sql.push_bind(query).push("::text)::real / greatest(1, char_length(s.text))) ELSE word_similarity(");
    sql.push_bind(query).push(", s.text) END)::double precision AS score FROM screen_texts s ");
    sql.push(VISIBLE).push(" WHERE ");
    push_filters(&mut sql, owner, filters);
    sql.push(" AND (s.text ILIKE ").push_bind(phrase).push(" OR ").push_bind(query).push(
        " <% s.text)
          UNION ALL SELECT run_id, scene_id, video_id, text, at_ms, 0.5 + 0.45 * share FROM worded WHERE share >= 0.5),
        best AS (SELECT DISTINCT ON (run_id, scene_id) * FROM found ORDER BY run_id, scene_id, score DESC, at_ms, text)
        SELECT * FROM best ORDER BY score DESC, video_id, at_ms, scene_id LIMIT ",
    );
    sql.push_bind(limit);
    let mut tx = bounded(pool, deadline).await?;
    sqlx::query!("SELECT set_config('pg_trgm.word_similarity_threshold', $1, true) AS floor", FLOOR)
        .fetch_one(&mut *tx)
        .await?;
    let found = sql.build_query_as().fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(found)
}
