//! Search by vectors, for whoever holds the pool: it remembers for a while whose vectors are few. To count twenty thousand takes a good
//! part of a search.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{
    Candidate, Embedding, Filters, Near, Planning, fetch,
    near::{Way, push_few, push_statement},
};
use crate::{error::DbError, ids::UserId, vectors::VectorKind};

/// So many libraries are remembered.
const LIBRARIES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
const REMEMBERED_FOR: Duration = Duration::from_secs(30);

/// Searches by vectors. One for a process, so that what one search has counted the next one knows.
#[derive(Debug)]
pub struct VectorSearch {
    pool: PgPool,
    /// Whose vectors have just become many, or few, is searched the slower way for so long.
    remembered_for: Duration,
    ways: Mutex<LruCache<Library, (Instant, Way)>>,
}

/// The vectors that somebody has, of a kind and a model.
type Library = (UserId, VectorKind, String);

impl VectorSearch {
    pub fn new(pool: PgPool) -> Self {
        Self::remembering(pool, REMEMBERED_FOR)
    }

    /// One that counts again after so long.
    pub fn remembering(pool: PgPool, remembered_for: Duration) -> Self {
        Self { pool, remembered_for, ways: Mutex::new(LruCache::new(LIBRARIES)) }
    }

    /// The best scenes by cosine distance; of faces none.
    pub async fn near(
        &self,
        kind: VectorKind,
        owner: UserId,
        query: &Embedding,
        filters: &Filters,
        near: Near,
        deadline: Duration,
    ) -> Result<Vec<Candidate>, DbError> {
        let way = self.way(kind, owner, &query.model, filters).await?;
        let mut sql = QueryBuilder::<Postgres>::new("");
        if !push_statement(&mut sql, kind, owner, query, filters, near, way)? {
            return Ok(Vec::new());
        }
        fetch(&self.pool, deadline, Planning::Vectors, sql).await
    }

    /// How they are compared. How many pass filters is known only to the statement itself.
    pub(super) async fn way(
        &self,
        kind: VectorKind,
        owner: UserId,
        model: &str,
        filters: &Filters,
    ) -> Result<Way, DbError> {
        if filters.narrows() {
            return Ok(Way::ToBeCounted);
        }
        let library = (owner, kind, model.to_owned());
        let known = self.ways.lock().unwrap_or_else(PoisonError::into_inner).get(&library).copied();
        if let Some((at, way)) = known
            && at.elapsed() < self.remembered_for
        {
            return Ok(way);
        }
        let mut sql = QueryBuilder::<Postgres>::new("");
        if !push_few(&mut sql, kind, owner, model, filters)? {
            return Ok(Way::Few);
        }
        let few: bool = sql.build_query_scalar().fetch_one(&self.pool).await?;
        let way = if few { Way::Few } else { Way::Many };
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).put(library, (Instant::now(), way));
        Ok(way)
    }
}
