//! What is seen: nearest scenes by their image vectors.

use std::time::Duration;

use pgvector::Vector;
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Candidate, Embedding, Filters, Near, NoVectors, VISIBLE, bounded, push_filters};
use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
    vectors::plain_name,
};

/// The best scenes by what their pictures have in common. As with texts, the expression and the literal model id are those of the
/// model's partial index (`crate::vectors`).
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &Embedding,
    filters: &Filters,
    near: Near,
    deadline: Duration,
) -> Result<Vec<Candidate>, DbError> {
    let Near { except, floor, limit } = near;
    let (model, dimension) = (plain_name(&query.model)?, query.vector.len());
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "WITH near AS MATERIALIZED (SELECT s.run_id, s.scene_id, v.video_id, (s.image_vec::halfvec({dimension}) <=> "
    ));
    let vector = Vector::from(query.vector.clone());
    sql.push_bind(vector).push(format!("::vector::halfvec({dimension})) AS distance FROM scenes s "));
    sql.push(VISIBLE).push(format!(" WHERE s.image_model = '{model}' AND "));
    push_filters(&mut sql, owner, filters);
    if let Some(except) = except {
        sql.push(" AND s.scene_id <> ").push_bind(except);
    }
    sql.push(" ORDER BY distance LIMIT ").push_bind(limit);
    sql.push(") SELECT run_id, scene_id, video_id, 1 - distance AS score FROM near WHERE 1 - distance >= ");
    sql.push_bind(floor).push(" ORDER BY score DESC, video_id, scene_id");
    let mut tx = bounded(pool, deadline).await?;
    let found = sql.build_query_as().fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(found)
}

/// Image models among the owner's visible runs, the newest first: what a query must be embedded with to reach everything.
pub async fn image_models(db: impl PgExecutor<'_>, owner: UserId) -> Result<Vec<String>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT m.model FROM vector_models m WHERE m.kind = 'image' AND EXISTS (
               SELECT FROM scenes s JOIN videos v ON v.current_run_id = s.run_id
               WHERE s.owner_id = $1 AND s.image_model = m.model AND v.state <> 'deleted')
           ORDER BY m.created_at DESC, m.model"#,
        owner.0
    )
    .fetch_all(db)
    .await?)
}

/// What a scene looks like.
pub async fn of_scene(
    db: impl PgExecutor<'_>,
    owner: UserId,
    scene: SceneId,
) -> Result<Result<Embedding, NoVectors>, DbError> {
    let row = sqlx::query!(
        r#"SELECT s.image_model AS "model!", s.image_vec AS "vector!: Vector"
           FROM scenes s JOIN videos v ON v.current_run_id = s.run_id
           WHERE s.scene_id = $1 AND s.owner_id = $2 AND v.state <> 'deleted' AND s.image_vec IS NOT NULL AND s.image_model IS NOT NULL"#,
        scene.0,
        owner.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Embedding { model: r.model, vector: r.vector.to_vec() }).ok_or(NoVectors))
}

/// A picture of a scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestFrame {
    pub run_id: RunId,
    pub scene_id: SceneId,
    pub at_ms: i64,
}

/// Of each scene the picture that is nearest to the query; scenes of another model are left out.
pub async fn best_frames(
    db: impl PgExecutor<'_>,
    owner: UserId,
    query: &Embedding,
    found: &[Candidate],
) -> Result<Vec<BestFrame>, DbError> {
    let (runs, scenes): (Vec<Uuid>, Vec<Uuid>) = found.iter().map(|c| (c.run_id.0, c.scene_id.0)).unzip();
    Ok(sqlx::query_as!(
        BestFrame,
        r#"SELECT DISTINCT ON (f.run_id, f.scene_id) f.run_id AS "run_id: RunId", f.scene_id AS "scene_id: SceneId", f.at_ms
           FROM unnest($2::uuid[], $3::uuid[]) AS n (run_id, scene_id) JOIN frames f USING (run_id, scene_id)
           WHERE f.owner_id = $1 AND f.sampled AND f.image_model = $4
           ORDER BY f.run_id, f.scene_id, f.image_vec <=> $5, f.at_ms"#,
        owner.0,
        &runs,
        &scenes,
        query.model,
        Vector::from(query.vector.clone()) as Vector
    )
    .fetch_all(db)
    .await?)
}
