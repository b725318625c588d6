//! What a video is called: scenes of the person's videos whose title or description has words of the query.

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Candidate, Filters, Sorting, VISIBLE, fetch, push_filters};
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
            SELECT v.video_id, found.share FROM q CROSS JOIN videos v CROSS JOIN LATERAL (
                SELECT sum(CASE WHEN stem = ANY(tsvector_to_array(ts_filter(v.title_tsv, '{a}'))) THEN 1
                                WHEN stem = ANY(tsvector_to_array(v.title_tsv)) THEN ",
        )
        .push(IN_DESCRIPTION)
        .push(
            " ELSE 0 END)::double precision / cardinality(q.stems) AS share FROM unnest(q.stems) AS stem) AS found
            WHERE numnode(q.any_of) > 0 AND v.title_tsv @@ q.any_of AND v.state <> 'deleted' AND v.owner_id = ",
        )
        .push_bind(owner)
        .push(" ORDER BY found.share DESC, v.created_at DESC, v.video_id LIMIT ")
        .push_bind(VIDEOS)
        .push(
            ") SELECT s.run_id, s.scene_id, s.video_id, c.share AS score FROM called c JOIN scenes s USING (video_id) ",
        );
    sql.push(VISIBLE).push(" WHERE ");
    push_filters(&mut sql, owner, filters);
    sql.push(" ORDER BY score DESC, s.video_id, s.ordinal LIMIT ").push_bind(limit);
    fetch(pool, deadline, Sorting::Planned, sql).await
}
