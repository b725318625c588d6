//! How much of a query is said in a scene.

use std::collections::HashMap;

use sqlx::PgExecutor;
use uuid::Uuid;

use super::{Candidate, places};
use crate::{error::DbError, ids::UserId};

/// The share of a query's words, by stem and without those that say nothing, that are said in each of the scenes; by run and scene.
/// A query of words that all say nothing has no share in anything.
pub async fn covered(
    db: impl PgExecutor<'_>,
    owner: UserId,
    query: &str,
    found: &[Candidate],
) -> Result<HashMap<(Uuid, Uuid), f64>, DbError> {
    let (runs, scenes) = places(found);
    let rows = sqlx::query!(
        r#"WITH stems AS MATERIALIZED (
               SELECT array_to_tsvector(ARRAY[stem])::text::tsquery AS stem FROM unnest(tsvector_to_array(to_tsvector('english', $4))) AS each (stem))
           SELECT s.run_id, s.scene_id, avg((s.text_tsv @@ q.stem)::int)::double precision AS "share!"
           FROM unnest($2::uuid[], $3::uuid[]) AS f (run_id, scene_id) JOIN scenes s USING (run_id, scene_id) CROSS JOIN stems q
           WHERE s.owner_id = $1 GROUP BY s.run_id, s.scene_id"#,
        owner.0,
        &runs,
        &scenes,
        query
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.run_id, row.scene_id), row.share)).collect())
}
