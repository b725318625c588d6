//! The migrations, embedded in the binaries and run at start.

use sqlx::{Connection, PgConnection, PgPool};

/// Advisory lock under which migrations run, so that two processes may start at once: the ASCII of "heimdex".
const MIGRATION_LOCK: i64 = 0x0068_6569_6d64_6578;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("PostgreSQL {found} is too old; 15 or later is needed")]
    PostgresTooOld { found: String },
    #[error("pgvector {found} is too old; 0.8 or later is needed")]
    PgvectorTooOld { found: String },
    #[error("a migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the queue's migrations failed: {0}")]
    Queue(#[from] apalis_postgres::Error),
    #[error("the database cannot be migrated: {0}")]
    Sqlx(#[from] sqlx::Error),
}

/// Brings the database to this version of the schema. Safe to call from several processes at once; those that come second
/// wait and find nothing to do.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    let mut lock = pool.acquire().await?.detach();
    // Waiting for another process' migration may take longer than an ordinary statement may.
    sqlx::query!("SET statement_timeout = '10min'").execute(&mut lock).await?;
    sqlx::query!("SELECT pg_advisory_lock($1)", MIGRATION_LOCK).execute(&mut lock).await?;
    let result = run(pool, &mut lock).await;
    // Closing the session gives the lock back, whatever became of the migration.
    lock.close().await?;
    result
}

async fn run(pool: &PgPool, connection: &mut PgConnection) -> Result<(), MigrateError> {
    let version: String = sqlx::query_scalar!(r#"SELECT current_setting('server_version') AS "version!""#)
        .fetch_one(&mut *connection)
        .await?;
    if major(&version) < 15 {
        return Err(MigrateError::PostgresTooOld { found: version });
    }
    MIGRATIONS.run(&mut *connection).await?;
    let pgvector = sqlx::query_scalar!("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        .fetch_one(&mut *connection)
        .await?;
    let mut parts = pgvector.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    if (parts.next(), parts.next()) < (Some(0), Some(8)) {
        return Err(MigrateError::PgvectorTooOld { found: pgvector });
    }
    apalis_postgres::PostgresStorage::<()>::setup(pool).await?;
    Ok(())
}

fn major(version: &str) -> u32 {
    version.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
