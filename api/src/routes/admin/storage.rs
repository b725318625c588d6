//! `GET /admin/storage`.

use axum::{Json, extract::State};
use heimdex_db::{
    UserId,
    operator::storage::{self, OwnerStorage, StorageTotals, TableSize},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{auth::guard::Operator, cursor, domain, error::ApiError, extract::Query, state::AppState};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StorageParams {
    /// Of the owners: 1 to 100, by default 50.
    #[param(value_type = Option<u32>)]
    #[serde(default)]
    limit: domain::Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What everything takes, in bytes. What is made of the originals (pictures, captions, versions for browsers) is not counted
/// by Heimdex; the object storage knows.
#[derive(Serialize, ToSchema)]
pub struct Storage {
    /// Of videos that are there.
    original_bytes: i64,
    video_count: i64,
    /// Announced by uploads that are under way.
    uploading_bytes: i64,
    /// Of deleted videos that wait for their purge.
    deleted_bytes: i64,
    database_bytes: i64,
    /// The twenty largest, with their indexes.
    tables: Vec<TableUse>,
    /// The largest libraries first.
    owners: Vec<OwnerUse>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct TableUse {
    #[schema(example = "transcript_words")]
    name: String,
    bytes: i64,
}

#[derive(Serialize, ToSchema)]
pub struct OwnerUse {
    user_id: Uuid,
    email: Option<String>,
    video_count: i64,
    original_bytes: i64,
    deleted_bytes: i64,
}

impl From<TableSize> for TableUse {
    fn from(table: TableSize) -> Self {
        Self { name: table.name, bytes: table.bytes }
    }
}

impl From<OwnerStorage> for OwnerUse {
    fn from(owner: OwnerStorage) -> Self {
        Self {
            user_id: owner.user_id.0,
            email: owner.email,
            video_count: owner.video_count,
            original_bytes: owner.original_bytes,
            deleted_bytes: owner.deleted_bytes,
        }
    }
}

/// What a cursor is bound to: there is one list of owners only.
const REQUEST: &str = "storage";

/// What everything takes, by kind and by owner. For operators and admins.
#[utoipa::path(get, path = "/admin/storage", tag = "admin", params(StorageParams), responses((status = OK, body = Storage)))]
pub async fn get(
    State(state): State<AppState>,
    Operator(_caller): Operator,
    Query(params): Query<StorageParams>,
) -> Result<Json<Storage>, ApiError> {
    let limit = params.limit.or(50, 100)?;
    let after: Option<(i64, UserId)> = cursor::decode(&REQUEST, params.cursor.as_deref())?;
    let StorageTotals { original_bytes, video_count, uploading_bytes, deleted_bytes, database_bytes } =
        storage::totals(&state.pool).await?;
    let tables = storage::tables(&state.pool).await?.into_iter().map(Into::into).collect();
    let owners = storage::owners(&state.pool, after, i64::from(limit) + 1).await?;
    let (owners, next_cursor) = cursor::page(owners, limit, &REQUEST, |last| (last.original_bytes, last.user_id));
    let owners = owners.into_iter().map(Into::into).collect();
    Ok(Json(Storage {
        original_bytes,
        video_count,
        uploading_bytes,
        deleted_bytes,
        database_bytes,
        tables,
        owners,
        next_cursor,
    }))
}
