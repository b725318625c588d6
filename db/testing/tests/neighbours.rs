//! Tests may lean on these neighbours.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use heimdex_testing::{TestDb, TestS3};

#[tokio::test]
async fn two_tests_have_two_databases_with_the_schema() -> anyhow::Result<()> {
    let (ann, bob) = tokio::try_join!(TestDb::new(), TestDb::new())?;
    assert_ne!(ann.name(), bob.name());
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM information_schema.tables WHERE table_name = 'videos'")
        .fetch_one(ann.pool())
        .await?;
    assert_eq!(tables, 1);
    sqlx::query("CREATE TABLE of_ann ()").execute(ann.pool()).await?;
    let seen_by_bob: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('of_ann')::text").fetch_one(bob.pool()).await?;
    assert_eq!(seen_by_bob, None);

    let name = ann.name().to_owned();
    drop(ann);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_one(bob.pool())
        .await?;
    assert_eq!(left, 0, "a test's database goes with it");
    Ok(())
}

#[tokio::test]
async fn the_s3_server_can_be_away_and_come_back_on_its_port() -> anyhow::Result<()> {
    let mut s3 = TestS3::start().await?;
    let endpoint = s3.endpoint();
    let address = endpoint.trim_start_matches("http://").to_owned();
    tokio::net::TcpStream::connect(&address).await?;
    s3.pause().await;
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    s3.resume().await?;
    tokio::net::TcpStream::connect(&address).await?;
    assert_eq!(s3.endpoint(), endpoint);
    Ok(())
}
