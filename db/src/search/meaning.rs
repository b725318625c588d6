//! What was said, by its meaning: nearest text windows by cosine distance.

use std::time::Duration;

use pgvector::Vector;
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};

use super::{Candidate, Filters, VISIBLE, bounded, push_filters};
use crate::{
    error::DbError,
    ids::{SceneId, UserId},
    vectors::plain_name,
};

/// A query, or a scene, in a model's space.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// Id of a registered model.
    pub model: String,
    pub vector: Vec<f32>,
}

/// How near, and how many.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// A scene to leave out: the one that others are compared with.
    pub except: Option<SceneId>,
    /// Least cosine similarity.
    pub floor: f64,
    pub limit: i64,
}

/// The best scenes by their nearest window. The expression
/// and the literal model id are those of the model's partial index (`crate::vectors`).
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &Embedding,
    filters: &Filters,
    near: Near,
    deadline: Duration,
) -> Result<Vec<Candidate>, DbError> {
    let Near { except, floor, limit } = near;
    let model = plain_name(&query.model)?;
    let dimension = query.vector.len();
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "WITH near AS MATERIALIZED (SELECT s.run_id, s.scene_id, v.video_id, (s.text_vec::halfvec({dimension}) <=> "
    ));
    let distance = Vector::from(query.vector.clone());
    sql.push_bind(distance).push(format!("::vector::halfvec({dimension})) AS distance FROM text_windows s "));
    sql.push(VISIBLE).push(format!(" WHERE s.text_model = '{model}' AND "));
    push_filters(&mut sql, owner, filters);
    if let Some(except) = except {
        sql.push(" AND s.scene_id <> ").push_bind(except);
    }
    // Several windows may belong to one scene.
    sql.push(" ORDER BY distance LIMIT ").push_bind(limit * 2);
    sql.push(") SELECT run_id, scene_id, video_id, 1 - min(distance) AS score FROM near GROUP BY run_id, scene_id, video_id HAVING 1 - min(distance) >= ");
    sql.push_bind(floor).push(" ORDER BY score DESC, video_id, scene_id LIMIT ").push_bind(limit);
    let mut tx = bounded(pool, deadline).await?;
    let found = sql.build_query_as().fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(found)
}

/// Text models among the owner's visible runs, the newest first: what a query must be embedded with to reach everything.
pub async fn text_models(db: impl PgExecutor<'_>, owner: UserId) -> Result<Vec<String>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT m.model FROM vector_models m WHERE m.kind = 'text' AND EXISTS (
               SELECT FROM text_windows w JOIN videos v ON v.current_run_id = w.run_id
               WHERE w.owner_id = $1 AND w.text_model = m.model AND v.state <> 'deleted')
           ORDER BY m.created_at DESC, m.model"#,
        owner.0
    )
    .fetch_all(db)
    .await?)
}

/// The scene has nothing that could be compared.
#[derive(Debug)]
pub struct NoVectors;

/// The mean of a scene's text windows.
pub async fn pooled(
    db: impl PgExecutor<'_>,
    owner: UserId,
    scene: SceneId,
) -> Result<Result<Embedding, NoVectors>, DbError> {
    let row = sqlx::query!(
        r#"SELECT w.text_model, avg(w.text_vec) AS "mean!: Vector"
           FROM text_windows w JOIN videos v ON v.current_run_id = w.run_id
           WHERE w.scene_id = $1 AND w.owner_id = $2 AND v.state <> 'deleted'
           GROUP BY w.text_model ORDER BY w.text_model LIMIT 1"#,
        scene.0,
        owner.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Embedding { model: r.text_model, vector: r.mean.to_vec() }).ok_or(NoVectors))
}
