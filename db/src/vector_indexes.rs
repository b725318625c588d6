//! Indexes of vectors: an HNSW graph for each model and each library that is too large to compare all of its vectors with a query.
//!
//! A library has a graph of its own because a walk through everybody's passes the vectors of all others: whoever has a tenth of them would
//! have to look at ten times as many. And those who have little, nearly everybody, do not pay for any when they write.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::{
    error::DbError,
    ids::UserId,
    vectors::{VectorKind, plain_name},
};

/// Up to so many vectors are compared one by one; among more, an index is walked.
pub const FEW: i64 = 5000;
/// So many libraries have an index of a model, the largest: PostgreSQL looks at each index of a table when it plans a statement.
const MOST: i64 = 64;
/// Of a graph: links of a vector, and how many vectors are looked at to find them (pgvector's own 64 makes a poorer graph). What a walk finds
/// in such a one stands at `looked_at` in `search/near.rs`.
const GRAPH: &str = "m = 16, ef_construction = 200";
/// Bytes of a vector's place in a graph while it is built, beside its own.
const PLACE: i64 = 1000;
/// Held by whoever tends the indexes.
const LOCK: &str = "vector indexes";

/// What the index of somebody's vectors is called; of faces there is none.
pub fn index_name(kind: VectorKind, owner: UserId, model: &str) -> Option<String> {
    kind.indexed().map(|_| format!("near_{}_{}", kind.as_str(), Uuid::new_v5(&owner.0, model.as_bytes()).simple()))
}

/// How many vectors the index has, as far as PostgreSQL has counted; `None` where there is none, or it is being built.
pub(crate) async fn size(
    db: impl PgExecutor<'_>,
    kind: VectorKind,
    owner: UserId,
    model: &str,
) -> Result<Option<f32>, DbError> {
    let Some(name) = index_name(kind, owner, model) else { return Ok(None) };
    Ok(sqlx::query_scalar!(
        "SELECT c.reltuples FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE c.oid = to_regclass($1) AND i.indisvalid",
        name
    )
    .fetch_optional(db)
    .await?)
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    pub built: usize,
    pub dropped: usize,
}

/// Builds the indexes of libraries that have become large, and drops those that are not whole, of libraries that have become small, and of
/// earlier versions. It takes as long as that takes, on one core, and keeps nobody from writing. If somebody else is at it, it does nothing.
///
/// # Errors
/// A failure of the database; what is not whole then is made anew the next time.
pub async fn tend(pool: &PgPool) -> Result<Tended, DbError> {
    // Of its own: it is kept for long, and what is set for it is of no use to others.
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    let alone = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS "alone!""#, LOCK)
        .fetch_one(&mut connection)
        .await?;
    let mut tended = Tended::default();
    if alone {
        for kind in [VectorKind::Text, VectorKind::Image] {
            tend_kind(&mut connection, kind, &mut tended).await?;
        }
    }
    connection.close().await?;
    Ok(tended)
}

/// A library that is worth an index, or was.
#[derive(sqlx::FromRow)]
struct Library {
    owner_id: UserId,
    vectors: i64,
}

async fn tend_kind(connection: &mut PgConnection, kind: VectorKind, tended: &mut Tended) -> Result<(), DbError> {
    let Some((table, column, model_column)) = kind.indexed() else { return Ok(()) };
    let models =
        sqlx::query!("SELECT model, dimension FROM vector_models WHERE kind = $1 ORDER BY model", kind.as_str())
            .fetch_all(&mut *connection)
            .await?;
    let (mut kept, mut wanted) = (BTreeSet::new(), Vec::new());
    for row in models {
        let model = plain_name(&row.model)?;
        // Half as many keep an index that is there: nobody's comes and goes with a video.
        let libraries: Vec<Library> = sqlx::query_as(AssertSqlSafe(format!(
            "SELECT owner_id, count(*) AS vectors FROM {table} WHERE {model_column} = '{model}'
             GROUP BY owner_id HAVING count(*) > {FEW} / 2 ORDER BY count(*) DESC, owner_id LIMIT {MOST}"
        )))
        .fetch_all(&mut *connection)
        .await?;
        for Library { owner_id, vectors } in libraries {
            let Some(name) = index_name(kind, owner_id, model) else { continue };
            if vectors > FEW {
                let definition = format!(
                    "{name} ON {table} USING hnsw (({column}::halfvec({})) halfvec_cosine_ops) WITH ({GRAPH}) WHERE {model_column} = '{model}' AND owner_id = '{owner_id}'",
                    row.dimension
                );
                wanted.push((name.clone(), definition, vectors * (2 * i64::from(row.dimension) + PLACE)));
            }
            kept.insert(name);
        }
    }
    let there = sqlx::query!(
        r#"SELECT c.relname::text AS "name!", i.indisvalid AS "valid!" FROM pg_index i
           JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
           WHERE i.indrelid = to_regclass($1) AND a.amname = 'hnsw'"#,
        table
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut whole = BTreeSet::new();
    for index in there {
        if index.valid && kept.contains(&index.name) {
            whole.insert(index.name);
        } else {
            alone(connection, &format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index.name)).await?;
            tended.dropped += 1;
        }
    }
    for (name, definition, bytes) in wanted {
        if whole.contains(&name) {
            continue;
        }
        // A graph that does not fit into this is built vector by vector, which takes many times as long. Helpers would take all of it in
        // shared memory, of which a container has little.
        let megabytes = (bytes >> 20).clamp(64, 2048);
        alone(connection, &format!("SET maintenance_work_mem = '{megabytes}MB'")).await?;
        alone(connection, "SET max_parallel_maintenance_workers = 0").await?;
        alone(connection, &format!("CREATE INDEX CONCURRENTLY {definition}")).await?;
        tended.built += 1;
    }
    Ok(())
}

/// A statement that is a transaction by itself and takes its time.
async fn alone(connection: &mut PgConnection, statement: &str) -> Result<(), DbError> {
    sqlx::raw_sql("SET statement_timeout = 0").execute(&mut *connection).await?;
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *connection).await?;
    sqlx::raw_sql("RESET statement_timeout").execute(connection).await?;
    Ok(())
}
