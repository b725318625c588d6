//! A database of one test.

use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

const URL_VARIABLE: &str = "HEIMDEX_TEST_DATABASE_URL";
/// The same files that `heimdex_db::migrate` applies; here only for their checksums.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");
/// Raise it when something other than a migration file changes what `heimdex_db::migrate` builds.
const TEMPLATE_REVISION: u32 = 1;
/// Held while the template is made: the ASCII of "hmdxtest".
const TEMPLATE_LOCK: i64 = 0x686d_6478_7465_7374;
/// What a killed test left behind is swept after this long.
const SWEEP_AFTER: Duration = Duration::from_secs(3600);
/// For the database to be dropped at the end of a test.
const DROP_PATIENCE: Duration = Duration::from_secs(1);
const PREFIX: &str = "heimdex_test_";

/// A fresh database with every migration applied, dropped at the end of the test.
///
/// Each server holds one template, made by the first test that finds none for this set of migrations; every database is
/// a copy of it, so a test pays for a copy and not for migrations.
#[derive(Debug)]
pub struct TestDb {
    pool: PgPool,
    admin: PgConnectOptions,
    name: String,
    url: String,
}

impl TestDb {
    /// Makes the database on the server that `HEIMDEX_TEST_DATABASE_URL` names.
    pub async fn new() -> anyhow::Result<Self> {
        let admin_url = std::env::var(URL_VARIABLE).ok().with_context(|| {
            format!(
                "{URL_VARIABLE} is not set: run scripts/test, or `source <(scripts/test --env)` for a server to test on"
            )
        })?;
        let admin = PgConnectOptions::from_str(&admin_url).with_context(|| format!("{URL_VARIABLE} is not a URL"))?;
        let mut connection = PgConnection::connect_with(&admin)
            .await
            .with_context(|| format!("PostgreSQL of {URL_VARIABLE} cannot be reached"))?;
        let template = ensure_template(&mut connection, &admin).await?;
        let name = format!("{PREFIX}{}_{}", unix_seconds(), uuid::Uuid::new_v4().simple());
        execute(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        connection.close().await?;

        let pool = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(admin.clone().database(&name));
        let mut url = url::Url::parse(&admin_url)?;
        url.set_path(&name);
        Ok(Self { pool, admin, name, url: url.into() })
    }

    /// A pool of at most 8 connections.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What a process under test gets as `DATABASE_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        let (done, dropped) = std::sync::mpsc::channel();
        // The test's runtime may be of one thread, and on its way out: another one does it. A failure is left to the sweep.
        std::thread::spawn(move || {
            let outcome = drop_database(&admin, &name);
            let _ = done.send(());
            outcome
        });
        // Not waited for until the end: the server first wants every backend to take note, one that is in the middle of signing
        // somebody in does so only afterwards, and that somebody may be a task of the runtime that stands still here. Once this
        // returns it goes on or is gone, and the server finishes what it was told without anybody waiting.
        let _ = dropped.recv_timeout(DROP_PATIENCE);
    }
}

fn drop_database(admin: &PgConnectOptions, name: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = PgConnection::connect_with(admin).await?;
        execute(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        connection.close().await?;
        Ok(())
    })
}

/// The name of the template for these migrations, made if it is not there.
async fn ensure_template(connection: &mut PgConnection, admin: &PgConnectOptions) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    hash.update(TEMPLATE_REVISION.to_le_bytes());
    for migration in MIGRATIONS.iter() {
        hash.update(&*migration.checksum);
    }
    let name = format!("heimdex_template_{}", &hex::encode(hash.finalize())[..16]);
    if is_template(connection, &name).await? {
        return Ok(name);
    }
    sqlx::query("SELECT pg_advisory_lock($1)").bind(TEMPLATE_LOCK).execute(&mut *connection).await?;
    let made = make_template(connection, admin, &name).await;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(TEMPLATE_LOCK).execute(&mut *connection).await?;
    made?;
    Ok(name)
}

async fn make_template(connection: &mut PgConnection, admin: &PgConnectOptions, name: &str) -> anyhow::Result<()> {
    if is_template(connection, name).await? {
        return Ok(());
    }
    sweep(connection).await?;
    // Half made by a process that died.
    execute(connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    execute(connection, format!("CREATE DATABASE {name}")).await?;
    let pool = PgPoolOptions::new().max_connections(4).connect_with(admin.clone().database(name)).await?;
    let migrated = heimdex_db::migrate(&pool).await;
    pool.close().await;
    migrated.context("the migrations fail on an empty database")?;
    execute(connection, format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")).await
}

async fn is_template(connection: &mut PgConnection, name: &str) -> anyhow::Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)")
        .bind(name)
        .fetch_one(connection)
        .await?)
}

/// Drops the databases of tests that died more than an hour ago.
async fn sweep(connection: &mut PgConnection) -> anyhow::Result<()> {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE $1")
        .bind(format!("{PREFIX}%"))
        .fetch_all(&mut *connection)
        .await?;
    for name in names {
        let made_at = name[PREFIX.len()..].split('_').next().and_then(|seconds| seconds.parse::<u64>().ok());
        if made_at.is_some_and(|seconds| seconds + SWEEP_AFTER.as_secs() < unix_seconds()) {
            execute(connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        }
    }
    Ok(())
}

/// Names of databases cannot be bound; these are made of a fixed prefix, digits and hex only.
async fn execute(connection: &mut PgConnection, statement: String) -> anyhow::Result<()> {
    sqlx::query(AssertSqlSafe(statement.clone())).execute(connection).await.with_context(|| statement)?;
    Ok(())
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
