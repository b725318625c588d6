//! What is near: scenes by the vectors of what is said in them, or of what they show. The two differ in their table and columns.

use pgvector::Vector;
use sqlx::{PgExecutor, Postgres, QueryBuilder};

use super::{Candidate, Filters, places, push_filters, push_visible};
use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
    vector_indexes::FEW,
    vectors::{VectorKind, plain_name},
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

/// So many are fetched from an index: each costs several times what it costs to compare one.
const WALKED: i64 = 100;

/// How vectors are compared with a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One by one.
    Few,
    /// Along the library's index, nearest first.
    Many,
    /// As the statement itself finds when it counts those that pass the filters, no further than it must.
    ToBeCounted,
}

/// So many vectors a walk keeps in sight (`hnsw.ef_search`): the nearest are among the first ones that are found only when it has seen
/// more. In the library of `scripts/bench search`, by hand: of the ten nearest of half a million 300 find 9.4 (pictures) and 9.6 (texts), 500
/// find 9.7 and 9.9; of 20,000, 200 find 9.9.
pub(super) fn looked_at(vectors: f32) -> i64 {
    // pgvector knows no more than a thousand.
    (0.7 * vectors.max(0.0).sqrt()).clamp(200.0, 1000.0) as i64
}

/// `SELECT count(*) <= FEW …` of those that pass the filters, counted no further than it must.
fn push_few(
    sql: &mut QueryBuilder<Postgres>,
    (table, model_column): (&str, &str),
    owner: UserId,
    model: &str,
    filters: &Filters,
) {
    sql.push(format!("SELECT count(*) <= {FEW} AS yes FROM (SELECT FROM {table} s "));
    push_visible(sql, filters);
    sql.push(format!(" WHERE s.{model_column} = '{model}' AND "));
    push_filters(sql, owner, filters);
    sql.push(format!(" LIMIT {FEW} + 1) AS counted"));
}

/// Few are compared exactly. Many are walked in the order of the library's index ([`crate::vector_indexes`]), whose expression and literals
/// stand here; that misses some. Says whether there is such a channel.
pub(super) fn push_statement(
    sql: &mut QueryBuilder<Postgres>,
    kind: VectorKind,
    owner: UserId,
    query: &Embedding,
    filters: &Filters,
    near: Near,
    way: Way,
) -> Result<bool, DbError> {
    let Some((table, column, model_column)) = kind.indexed() else { return Ok(false) };
    let Near { except, floor, limit } = near;
    let (model, dimension) = (plain_name(&query.model)?, query.vector.len());
    // A scene has one vector of what it shows, but sometimes several windows of text, of which the nearest counts. Where each one
    // more costs a walk, the last places may stay empty.
    let exact = if kind == VectorKind::Text { limit * 2 } else { limit };

    sql.push("WITH asked AS MATERIALIZED (SELECT ").push_bind(Vector::from(query.vector.clone()));
    sql.push("::vector AS vector), ");
    if way == Way::ToBeCounted {
        sql.push("few AS MATERIALIZED (");
        push_few(sql, (table, model_column), owner, model, filters);
        sql.push("), ");
    }
    let (exactly, walked) = (("exact", exact), ("walked", limit.min(WALKED)));
    let parts: &[_] = match way {
        Way::Few => &[exactly],
        Way::Many => &[walked],
        Way::ToBeCounted => &[exactly, walked],
    };
    for &(name, rows) in parts {
        let gate = match way {
            Way::ToBeCounted if name == "exact" => "(SELECT yes FROM few) AND",
            Way::ToBeCounted => "NOT (SELECT yes FROM few) AND",
            Way::Few | Way::Many => "",
        };
        sql.push(format!(
            "{name} AS MATERIALIZED (SELECT s.run_id, s.scene_id, v.video_id, s.{column} <=> (SELECT vector FROM asked) AS distance FROM {table} s "
        ));
        push_visible(sql, filters);
        sql.push(format!(" WHERE {gate} s.{model_column} = '{model}' AND "));
        push_filters(sql, owner, filters);
        if let Some(except) = except {
            sql.push(" AND s.scene_id <> ").push_bind(except);
        }
        if name == "exact" {
            // Most are far away: those are neither joined nor sorted, which takes longer than to compare the others twice. A walk would go
            // on until it has enough of them.
            sql.push(format!(" AND s.{column} <=> (SELECT vector FROM asked) <= "));
            sql.push_bind(1.0 - floor).push(" ORDER BY distance");
        } else {
            // The index has its owner as a literal.
            sql.push(format!(
                " AND s.owner_id = '{owner}' ORDER BY s.{column}::halfvec({dimension}) <=> (SELECT vector::halfvec({dimension}) FROM asked)"
            ));
        }
        sql.push(" LIMIT ").push_bind(rows).push("), ");
    }
    let all: Vec<_> = parts.iter().map(|(name, ..)| format!("SELECT * FROM {name}")).collect();
    sql.push(format!("near AS ({})", all.join(" UNION ALL ")));
    sql.push(
        " SELECT run_id, scene_id, video_id, 1 - min(distance) AS score FROM near
          GROUP BY run_id, scene_id, video_id HAVING 1 - min(distance) >= ",
    );
    sql.push_bind(floor).push(" ORDER BY score DESC, video_id, scene_id LIMIT ").push_bind(limit);
    Ok(true)
}

/// Models of this kind among the owner's visible runs, the newest first: what a query must be embedded with to reach everything. The range
/// of one, in order, is a look into the index; an equation lets the planner read the whole table for the first row that fits.
pub async fn models(db: impl PgExecutor<'_>, kind: VectorKind, owner: UserId) -> Result<Vec<String>, DbError> {
    let found = match kind {
        VectorKind::Text => {
            sqlx::query_scalar!(
                r#"SELECT m.model FROM vector_models m CROSS JOIN LATERAL (
                       SELECT FROM text_windows w JOIN videos v ON v.current_run_id = w.run_id
                       WHERE w.owner_id = $1 AND w.text_model BETWEEN m.model AND m.model AND v.state <> 'deleted'
                       ORDER BY w.text_model LIMIT 1) AS visible
                   WHERE m.kind = 'text' ORDER BY m.created_at DESC, m.model"#,
                owner.0
            )
            .fetch_all(db)
            .await?
        }
        VectorKind::Image => {
            sqlx::query_scalar!(
                r#"SELECT m.model FROM vector_models m CROSS JOIN LATERAL (
                       SELECT FROM scenes w JOIN videos v ON v.current_run_id = w.run_id
                       WHERE w.owner_id = $1 AND w.image_model BETWEEN m.model AND m.model AND v.state <> 'deleted'
                       ORDER BY w.image_model LIMIT 1) AS visible
                   WHERE m.kind = 'image' ORDER BY m.created_at DESC, m.model"#,
                owner.0
            )
            .fetch_all(db)
            .await?
        }
        VectorKind::Face => Vec::new(),
    };
    Ok(found)
}

/// The scene has nothing that could be compared.
#[derive(Debug)]
pub struct NoVectors;

/// Where a scene lies among the others: the mean of its text windows, or what it looks like.
pub async fn of_scene(
    db: impl PgExecutor<'_>,
    kind: VectorKind,
    owner: UserId,
    scene: SceneId,
) -> Result<Result<Embedding, NoVectors>, DbError> {
    let found = match kind {
        VectorKind::Text => sqlx::query!(
            // By the scene's own row: its windows are found by run and scene, not among all that their owner has.
            r#"SELECT w.text_model, avg(w.text_vec) AS "mean!: Vector"
               FROM scenes s JOIN videos v ON v.current_run_id = s.run_id JOIN text_windows w ON w.run_id = s.run_id AND w.scene_id = s.scene_id
               WHERE s.scene_id = $1 AND s.owner_id = $2 AND v.state <> 'deleted'
               GROUP BY w.text_model ORDER BY w.text_model LIMIT 1"#,
            scene.0,
            owner.0
        )
        .fetch_optional(db)
        .await?
        .map(|row| Embedding { model: row.text_model, vector: row.mean.to_vec() }),
        VectorKind::Image => sqlx::query!(
            r#"SELECT s.image_model AS "model!", s.image_vec AS "vector!: Vector"
               FROM scenes s JOIN videos v ON v.current_run_id = s.run_id
               WHERE s.scene_id = $1 AND s.owner_id = $2 AND v.state <> 'deleted' AND s.image_vec IS NOT NULL AND s.image_model IS NOT NULL"#,
            scene.0,
            owner.0
        )
        .fetch_optional(db)
        .await?
        .map(|row| Embedding { model: row.model, vector: row.vector.to_vec() }),
        VectorKind::Face => None,
    };
    Ok(found.ok_or(NoVectors))
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
    let (runs, scenes) = places(found);
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
