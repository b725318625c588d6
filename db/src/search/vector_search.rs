//! Search by vectors, for whoever holds the pool: it remembers for a while whose vectors have an index.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{
    Candidate, Embedding, Filters, Near, Planning, fetch,
    near::{Way, looked_at, push_statement},
};
use crate::{error::DbError, ids::UserId, vector_indexes, vectors::VectorKind};

/// So many libraries are remembered.
const LIBRARIES: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
const REMEMBERED_FOR: Duration = Duration::from_secs(30);

/// Searches by vectors. One for a process, so that what one search has learnt the next one knows.
#[derive(Debug)]
pub struct VectorSearch {
    pool: PgPool,
    /// Whose index was just built, or dropped, is searched the slower way for so long.
    remembered_for: Duration,
    indexed: Mutex<LruCache<Library, (Instant, Option<f32>)>>,
}

/// The vectors that somebody has, of a kind and a model.
type Library = (UserId, VectorKind, String);

impl VectorSearch {
    pub fn new(pool: PgPool) -> Self {
        Self::remembering(pool, REMEMBERED_FOR)
    }

    /// One that looks again after so long.
    pub fn remembering(pool: PgPool, remembered_for: Duration) -> Self {
        Self { pool, remembered_for, indexed: Mutex::new(LruCache::new(LIBRARIES)) }
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
        let (way, looked_at) = self.way(kind, owner, &query.model, filters).await?;
        let mut sql = QueryBuilder::<Postgres>::new("");
        if !push_statement(&mut sql, kind, owner, query, filters, near, way)? {
            return Ok(Vec::new());
        }
        fetch(&self.pool, deadline, Planning::Vectors { looked_at }, sql).await
    }

    /// How they are compared, and how many a walk keeps in sight. How many pass filters is known only to the statement itself.
    pub(super) async fn way(
        &self,
        kind: VectorKind,
        owner: UserId,
        model: &str,
        filters: &Filters,
    ) -> Result<(Way, i64), DbError> {
        let indexed = self.indexed(kind, owner, model).await?;
        let way = match indexed {
            None => Way::Few,
            Some(_) if filters.narrows() => Way::ToBeCounted,
            Some(_) => Way::Many,
        };
        Ok((way, looked_at(indexed.unwrap_or(0.0))))
    }

    /// How many vectors the library's index has, if there is one.
    async fn indexed(&self, kind: VectorKind, owner: UserId, model: &str) -> Result<Option<f32>, DbError> {
        let library = (owner, kind, model.to_owned());
        let known = self.indexed.lock().unwrap_or_else(PoisonError::into_inner).get(&library).copied();
        if let Some((at, indexed)) = known
            && at.elapsed() < self.remembered_for
        {
            return Ok(indexed);
        }
        let indexed = vector_indexes::size(&self.pool, kind, owner, model).await?;
        self.indexed.lock().unwrap_or_else(PoisonError::into_inner).put(library, (Instant::now(), indexed));
        Ok(indexed)
    }
}
