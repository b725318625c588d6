//! Models whose vectors are stored.

use sqlx::PgPool;

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

/// Registers a model. Doing it again does nothing.
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
    Ok(())
}
