//! How PostgreSQL carries a search out: for tests, which hold that no search reads everybody's scenes, and for whoever wonders why one is slow.

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Embedding, Filters, Near, Planning, VectorSearch, bounded, near, tagged, who, words, written};
use crate::{error::DbError, ids::UserId, vectors::VectorKind};

/// Which statement is looked at.
#[derive(Clone, Copy, Debug)]
pub enum Planned<'a> {
    Words(&'a str),
    Written(&'a str),
    Tagged(&'a str),
    Who(&'a str),
    /// The one that this search would carry out now.
    Near(&'a VectorSearch, VectorKind, &'a Embedding),
}

const DEADLINE: Duration = Duration::from_secs(30);
const LIMIT: i64 = 200;

/// Carries a channel's statement out and says how, as `EXPLAIN (ANALYZE, FORMAT JSON)` does; `Null` where there is none.
pub async fn explain(
    pool: &PgPool,
    owner: UserId,
    planned: Planned<'_>,
    filters: &Filters,
) -> Result<serde_json::Value, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new("EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) ");
    let mut planning = match planned {
        Planned::Who(_) => Planning::InOrder,
        Planned::Words(_) | Planned::Written(_) => Planning::of_matches(filters),
        _ => Planning::Free,
    };
    match planned {
        Planned::Words(query) => words::push_statement(&mut sql, owner, query, filters, LIMIT),
        Planned::Written(query) => written::push_statement(&mut sql, owner, query, filters, LIMIT),
        Planned::Tagged(query) => tagged::push_statement(&mut sql, owner, query, filters, LIMIT),
        Planned::Who(query) => who::push_statement(&mut sql, owner, query, &[], filters, LIMIT),
        Planned::Near(search, kind, query) => {
            let near = Near { except: None, floor: 0.0, limit: LIMIT };
            let (way, looked_at) = search.way(kind, owner, &query.model, filters).await?;
            planning = Planning::Vectors { looked_at };
            if !near::push_statement(&mut sql, kind, owner, query, filters, near, way)? {
                return Ok(serde_json::Value::Null);
            }
        }
    }
    let mut tx = bounded(pool, DEADLINE, planning).await?;
    let plan: serde_json::Value = sql.build_query_scalar().fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(plan)
}
