//! The schema as every process finds it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use heimdex_db::{enums, schema};
use heimdex_testing::TestDb;

#[tokio::test]
async fn migrations_may_run_from_two_processes_at_once_and_again() {
    let db = TestDb::new().await.unwrap();
    sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA apalis CASCADE")
        .execute(db.pool())
        .await
        .unwrap();
    let (one, two) = tokio::join!(schema::migrate(db.pool()), schema::migrate(db.pool()));
    one.unwrap();
    two.unwrap();
    schema::migrate(db.pool()).await.unwrap();
    enums::check(db.pool()).await.unwrap();
}

#[tokio::test]
async fn an_enum_that_differs_is_named_with_both_sides() {
    let db = TestDb::new().await.unwrap();
    sqlx::query("ALTER TYPE video_state ADD VALUE 'frozen'").execute(db.pool()).await.unwrap();
    let message = enums::check(db.pool()).await.unwrap_err().to_string();
    assert!(
        message.contains("video_state")
            && message.contains("frozen")
            && message.contains("the program knows [uploading"),
        "{message}"
    );
}

#[tokio::test]
async fn every_table_denies_by_default() {
    let db = TestDb::new().await.unwrap();
    let open: Vec<String> = sqlx::query_scalar("SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relrowsecurity")
        .fetch_all(db.pool())
        .await
        .unwrap();
    assert!(open.is_empty(), "tables without row level security: {open:?}");
}

#[tokio::test]
async fn a_model_keeps_its_kind_and_its_dimension() {
    use heimdex_db::vectors::{VectorKind, ensure_model};
    let db = TestDb::new().await.unwrap();
    let (one, two) = tokio::join!(
        ensure_model(db.pool(), VectorKind::Text, "all-minilm-l6-v2", 384),
        ensure_model(db.pool(), VectorKind::Text, "all-minilm-l6-v2", 384)
    );
    one.unwrap();
    two.unwrap();
    ensure_model(db.pool(), VectorKind::Text, "bge-m3", 1024).await.unwrap();
    assert!(ensure_model(db.pool(), VectorKind::Text, "bge-m3", 384).await.is_err());
    assert!(ensure_model(db.pool(), VectorKind::Image, "bge-m3", 1024).await.is_err());
    assert!(ensure_model(db.pool(), VectorKind::Text, "x'; DROP TABLE users; --", 384).await.is_err());
}

#[tokio::test]
async fn the_history_of_accounts_names_people_by_either_id_and_keeps_no_secret() {
    use heimdex_db::audit::{self, Action, Actor, By, Event, Filter, Whom};
    use serde_json::json;
    let db = TestDb::new().await.unwrap();
    let sub: uuid::Uuid = sqlx::query_scalar("INSERT INTO users (supabase_user_id, email) VALUES (gen_random_uuid(), 'ann@example.org') RETURNING supabase_user_id")
        .fetch_one(db.pool())
        .await
        .unwrap();
    let unknown = uuid::Uuid::new_v4();
    let by = By {
        actor: Actor::Person(Whom::Account(sub)),
        ip: Some("2001:db8::7".parse().unwrap()),
        request_id: Some("r1".into()),
    };
    let event = Event::new(Action::MetadataChanged, Whom::Account(sub));
    audit::record(db.pool(), &by, event.changed(json!({ "name": "Ann", "otp_hash": "x" }), json!({ "name": "Anna" })))
        .await
        .unwrap();
    audit::record(db.pool(), &By::command(), Event::new(Action::Invited, Whom::Account(unknown))).await.unwrap();
    let lines = audit::list(db.pool(), &Filter::default(), None, 10).await.unwrap();
    let [invited, changed] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((invited.subject_id, invited.target.clone()), (None, Some(unknown.to_string())));
    assert_eq!(changed.actor_id, changed.subject_id);
    assert_eq!((changed.actor_email.as_deref(), changed.ip.as_deref()), (Some("ann@example.org"), Some("2001:db8::7")));
    assert_eq!(changed.before, Some(json!({ "name": "Ann", "otp_hash": "[removed]" })));
    let filter = Filter { subject: changed.subject_id, action: Some("metadata_changed".into()), ..Filter::default() };
    assert_eq!(audit::list(db.pool(), &filter, Some(invited.event_id), 10).await.unwrap().len(), 1);
}
