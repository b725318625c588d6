//! What a video is called: scenes of the person's videos whose title or description has words of the query.

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Candidate, Filters, Planning, fetch, push_filters, push_visible};
use crate::{error::DbError, ids::UserId};

/// Videos whose scenes are offered, the best by their title.
const VIDEOS: i64 = 20;
/// A word of the description says less of a video than one of its title.
const IN_DESCRIPTION: &str = "0.6";

/// Scenes of the best videos, all of one video equally good: 1 where the title has every word of the query, else the share of its
/// words, by stem or as they are.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Candidate>, DbError> {
    let mut sql =
        QueryBuilder::<Postgres>::new("WITH q AS MATERIALIZED (SELECT tsvector_to_array(to_tsvector('english', ");
    sql.push_bind(query)
        .push(")) AS stems, replace(plainto_tsquery('english', ")
        .push_bind(query)
        .push(
            ")::text, ' & ', ' | ')::tsquery AS any_of), called AS MATERIALIZED (
            SELECT v.video_id, v.current_run_id, found.share FROM q CROSS JOIN videos v CROSS JOIN LATERAL (
                SELECT sum(CASE WHEN stem = ANY(tsvector_to_array(ts_filter(v.title_tsv, '{a}'))) THEN 1
                                WHEN stem = ANY(tsvector_to_array(v.title_tsv)) THEN ",
        )
        .push(IN_DESCRIPTION)
        .push(
            " ELSE 0 END)::double precision / cardinality(q.stems) AS share FROM unnest(q.stems) AS stem) AS found
            WHERE numnode(q.any_of) > 0 AND v.title_tsv @@ q.any_of AND v.state <> 'deleted' AND v.owner_id = ",
        )
        .push_bind(owner);
    // A video of which no scene passes must not take the place of one that is asked for.
    if filters.narrows() || filters.as_of.is_some() {
        sql.push(
            " AND EXISTS (SELECT FROM scenes s LEFT JOIN runs r ON r.run_id = s.run_id LEFT JOIN video_metadata m ON m.video_id = v.video_id
                          WHERE s.run_id = v.current_run_id AND ",
        );
        push_filters(&mut sql, owner, filters);
        sql.push(")");
    } else {
        sql.push(" AND v.current_run_id IS NOT NULL");
    }
    sql.push(" ORDER BY found.share DESC, v.created_at DESC, v.video_id LIMIT ").push_bind(VIDEOS).push(
        ") SELECT s.run_id, s.scene_id, s.video_id, c.share AS score FROM called c JOIN scenes s ON s.run_id = c.current_run_id ",
    );
    // That the videos' own runs are visible is known.
    if filters.narrows() || filters.as_of.is_some() {
        push_visible(&mut sql, filters);
        sql.push(" WHERE ");
        push_filters(&mut sql, owner, filters);
    } else {
        sql.push(" WHERE s.owner_id = ").push_bind(owner);
    }
    // From each of the videos in turn: a long one would leave no place for the others.
    sql.push(" ORDER BY score DESC, s.ordinal, s.video_id LIMIT ").push_bind(limit);
    fetch(pool, deadline, Planning::Free, sql).await
}
