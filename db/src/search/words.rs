//! What was said, by its words: full-text search with websearch syntax (quotes, `or`, `-`), parts of words, which is what a
//! word is in languages without spaces, and, when too little has all the words, scenes that have some.
//!
//! However many scenes match, [`RANKED`] of each kind are ranked and no more: to rank a hundred thousand takes seconds.

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Candidate, Filters, Planning, RANKED, conditions::has_no_spaces, fetch, push_filters, push_visible};
use crate::{error::DbError, ids::UserId, videos::like_part};

/// Below this many scenes with all the words, scenes with parts of them or with some of them are offered too.
const ENOUGH: i64 = 20;
/// Of scenes that have some of the words so many are ranked at most.
const PARTLY: i64 = 500;
/// Words of a query that are looked for one by one, and those that a scene's share is told of.
const WORDS: i64 = 12;
const COUNTED: i64 = 64;
/// In a library of up to so many scenes any of three or more words will do, in a larger one it takes two of them.
const SMALL: i64 = 5000;

/// Scores of scenes that say only some of the words are not above this.
pub const SOME_WORDS: f64 = 0.01;

/// A scene in which it is said.
#[derive(Clone, Copy, Debug, PartialEq, sqlx::FromRow)]
pub struct Said {
    #[sqlx(flatten)]
    pub candidate: Candidate,
    /// Where its score is not above [`SOME_WORDS`], the share of the query's words, by stem and without those that say nothing, that are
    /// said in it. A query of words that all say nothing has no share in anything.
    pub share: Option<f64>,
}

/// The best scenes for a person's query.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Said>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new("");
    push_statement(&mut sql, owner, query, filters, limit);
    fetch(pool, deadline, Planning::of_matches(filters), sql).await
}

/// The text index holds every word in its language's stem and as it is, hence the query in both forms. A scene that has the very
/// phrase comes before those that only have the words.
pub(super) fn push_statement(
    sql: &mut QueryBuilder<Postgres>,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
) {
    let phrase = (query.chars().count() >= 2).then(|| like_part(query));
    sql.push(
        "WITH found AS MATERIALIZED (SELECT s.run_id, s.scene_id, s.video_id, s.ordinal, (ts_rank_cd(s.text_tsv, ",
    );
    push_strict(sql, query);
    sql.push(", 1) + CASE WHEN s.text ILIKE ").push_bind(phrase.clone());
    sql.push("::text THEN 1 ELSE 0 END)::double precision AS score FROM (SELECT s.* FROM scenes s ");
    push_visible(sql, filters);
    sql.push(" WHERE ");
    push_filters(sql, owner, filters);
    sql.push(" AND s.text_tsv @@ ");
    push_strict(sql, query);
    sql.push(format!(" LIMIT {RANKED}) AS s ORDER BY score DESC, s.video_id, s.ordinal LIMIT ")).push_bind(limit);

    // A phrase of words with spaces between them is found by its words.
    let no_spaces = query.chars().any(has_no_spaces);
    let parts = phrase.filter(|_| no_spaces || !query.contains(char::is_whitespace));
    if let Some(parts) = &parts {
        sql.push("), parts AS MATERIALIZED (SELECT s.run_id, s.scene_id, s.video_id, s.ordinal, 1::double precision AS score FROM scenes s ");
        push_visible(sql, filters);
        sql.push(" WHERE ");
        push_filters(sql, owner, filters);
        sql.push(" AND s.text ILIKE ").push_bind(parts.clone());
        if !no_spaces {
            sql.push(format!(" AND (SELECT count(*) FROM found) < {ENOUGH}"));
        }
        sql.push(" AND NOT EXISTS (SELECT FROM found f WHERE f.run_id = s.run_id AND f.scene_id = s.scene_id) LIMIT ");
        sql.push_bind(limit);
    }

    sql.push("), asked AS MATERIALIZED (SELECT array_to_tsvector(ARRAY[stem])::text::tsquery AS stem, n FROM unnest(tsvector_to_array(to_tsvector('english', ");
    sql.push_bind(query).push(format!("))) WITH ORDINALITY AS each (stem, n) LIMIT {COUNTED}), "));
    sql.push(format!(
        "stems AS MATERIALIZED (SELECT stem::text AS stem, n FROM asked WHERE n <= {WORDS}), loose AS MATERIALIZED (
            SELECT any_of.words AS words, CASE WHEN any_of.count <= 2 OR small.yes THEN any_of.words ELSE two_of.words END AS needed
            FROM (SELECT string_agg(stem, ' | ')::tsquery AS words, count(*) AS count FROM stems) AS any_of
            CROSS JOIN (SELECT string_agg(one.stem || ' & ' || other.stem, ' | ')::tsquery AS words
                        FROM stems one JOIN stems other ON other.n > one.n) AS two_of
            CROSS JOIN (SELECT count(*) <= {SMALL} AS yes FROM (SELECT FROM scenes s WHERE s.owner_id = "
    ));
    sql.push_bind(owner)
        .push(format!(" LIMIT {SMALL} + 1) AS counted) AS small WHERE websearch_to_tsquery('english', "));
    sql.push_bind(query).push(")::text NOT LIKE '%!%' AND any_of.count > 0 ");
    sql.push(
        "), partly AS MATERIALIZED (
            SELECT s.run_id, s.scene_id, s.video_id, s.ordinal, (ts_rank(s.text_tsv, (SELECT words FROM loose), 1) * 0.001)::double precision AS score
            FROM (SELECT s.* FROM scenes s ",
    );
    push_visible(sql, filters);
    sql.push(" WHERE ");
    push_filters(sql, owner, filters);
    sql.push(format!(
        " AND (SELECT count(*) FROM found) < {ENOUGH} AND s.text_tsv @@ (SELECT needed FROM loose) LIMIT {PARTLY}) AS s
          WHERE NOT EXISTS (SELECT FROM found f WHERE f.run_id = s.run_id AND f.scene_id = s.scene_id)"
    ));
    if parts.is_some() {
        sql.push(" AND NOT EXISTS (SELECT FROM parts p WHERE p.run_id = s.run_id AND p.scene_id = s.scene_id)");
    }
    sql.push(" ORDER BY score DESC, s.video_id, s.ordinal LIMIT ").push_bind(limit);
    sql.push("), best AS MATERIALIZED (SELECT * FROM (SELECT * FROM found UNION ALL ");
    if parts.is_some() {
        sql.push("SELECT * FROM parts UNION ALL ");
    }
    sql.push("SELECT * FROM partly) AS u ORDER BY score DESC, video_id, ordinal, scene_id LIMIT ").push_bind(limit);
    sql.push(format!(
        ") SELECT b.run_id, b.scene_id, b.video_id, b.score, CASE WHEN b.score <= {SOME_WORDS} THEN (
              SELECT avg((s.text_tsv @@ a.stem)::int)::double precision FROM scenes s CROSS JOIN asked a
              WHERE s.run_id = b.run_id AND s.scene_id = b.scene_id) END AS share
          FROM best b ORDER BY b.score DESC, b.video_id, b.ordinal, b.scene_id"
    ));
}

fn push_strict(sql: &mut QueryBuilder<Postgres>, query: &str) {
    sql.push("(websearch_to_tsquery('english', ").push_bind(query.to_owned());
    sql.push(") || websearch_to_tsquery('simple', ").push_bind(query.to_owned()).push("))");
}
