//! Models whose vectors are stored, and their indexes.

use sqlx::{AssertSqlSafe, PgPool};

use crate::error::DbError;

/// What a vector stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VectorKind {
    Text,
    Image,
    Face,
}

impl VectorKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Face => "face",
        }
    }

    /// (table, vector column, model column) of those that are searched by an index. Faces are compared within one library, exactly.
    pub(crate) const fn indexed(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Text => Some(("text_windows", "text_vec", "text_model")),
            Self::Image => Some(("scenes", "image_vec", "image_model")),
            Self::Face => None,
        }
    }
}

/// A model's id that may stand in a statement: identifiers and the literals of partial indexes cannot be bound.
///
/// # Errors
/// [`DbError::Conflict`] `model_name` when it is not at most 40 lowercase letters, digits, `.`, `_` and `-`.
pub(crate) fn plain_name(model: &str) -> Result<&str, DbError> {
    let plain = model.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
    if plain && (1..=40).contains(&model.len()) { Ok(model) } else { Err(DbError::Conflict("model_name")) }
}

/// Of the index's graph: links of a vector, and how many vectors are looked at to find them. Of the ten nearest of 100,000 vectors in
/// clusters of some 500, a search that looks at 400 found 7.9 with pgvector's own 64, and finds 9.7; to build it took 108 s instead of 44.
/// Twice the links find 9.8 and took 175 s.
const GRAPH: &str = "m = 16, ef_construction = 200";

/// Registers a model and makes its partial HNSW index: `((vec::halfvec(n)) halfvec_cosine_ops) WHERE model = '…'`.
/// Queries must use the same expression. Doing it again does nothing, and waits for nobody who writes vectors.
///
/// # Errors
/// [`DbError::Conflict`] `model_dimension` when the model is registered with another dimension, and as
/// [`plain_name`].
pub async fn ensure_model(pool: &PgPool, kind: VectorKind, model: &str, dimension: usize) -> Result<(), DbError> {
    let model = plain_name(model)?;
    let dimension = i32::try_from(dimension).map_err(|_| DbError::Conflict("model_dimension"))?;
    sqlx::query!(
        "INSERT INTO vector_models (model, kind, dimension) VALUES ($1, $2, $3) ON CONFLICT (model) DO NOTHING",
        model,
        kind.as_str(),
        dimension
    )
    .execute(pool)
    .await?;
    let known =
        sqlx::query!("SELECT kind, dimension FROM vector_models WHERE model = $1", model).fetch_one(pool).await?;
    if known.dimension != dimension || known.kind != kind.as_str() {
        return Err(DbError::Conflict("model_dimension"));
    }
    let Some((table, column, model_column)) = kind.indexed() else { return Ok(()) };
    let index = format!("{table}_{}_hnsw", model.replace(['.', '-'], "_"));
    // `IF NOT EXISTS` locks the table before it looks.
    let is_there =
        sqlx::query_scalar!(r#"SELECT to_regclass($1) IS NOT NULL AS "is_there!""#, index).fetch_one(pool).await?;
    if is_there {
        return Ok(());
    }
    // The lock makes two workers that start at once take turns; `IF NOT EXISTS` alone races.
    let mut tx = pool.begin().await?;
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", index).execute(&mut *tx).await?;
    sqlx::query!("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
    sqlx::query(AssertSqlSafe(format!(
        "CREATE INDEX IF NOT EXISTS {index} ON {table} USING hnsw (({column}::halfvec({dimension})) halfvec_cosine_ops) WITH ({GRAPH}) WHERE {model_column} = '{model}'"
    )))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
