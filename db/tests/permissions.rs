//! What Supabase's own roles may do in a database that is Heimdex's too: PostgREST exposes it to the internet as `anon` and
//! `authenticated`, and Supabase Auth runs the access token hook as `supabase_auth_admin`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use heimdex_db::schema;
use heimdex_testing::TestDb;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

const HOOK: &str = include_str!("../../docs/supabase/custom_access_token_hook.sql");

/// A Supabase database before Heimdex comes: its roles, `auth.uid()`, and its generous default privileges; then Heimdex.
async fn supabase() -> TestDb {
    let db = TestDb::new().await.unwrap();
    sqlx::raw_sql(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA apalis CASCADE;
         -- Roles belong to the whole server; another test may be making them at this moment.
         DO $$
         DECLARE r text;
         BEGIN
             FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'supabase_auth_admin'] LOOP
                 BEGIN
                     EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', r);
                 EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                 END;
             END LOOP;
         END $$;
         CREATE SCHEMA auth;
         GRANT USAGE ON SCHEMA auth TO anon, authenticated, supabase_auth_admin;
         GRANT USAGE ON SCHEMA public TO anon, authenticated;
         CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
             $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated;",
    )
    .execute(db.pool())
    .await
    .unwrap();
    schema::migrate(db.pool()).await.unwrap();
    db
}

/// As PostgREST begins a request: the role of the token, and its claims.
async fn request<'a>(pool: &'a PgPool, role: &str, sub: Option<Uuid>) -> Transaction<'a, Postgres> {
    let mut tx = pool.begin().await.unwrap();
    let claims = json!({ "sub": sub, "role": role }).to_string();
    sqlx::query("SELECT set_config('request.jwt.claims', $1, true)").bind(claims).execute(&mut *tx).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("SET LOCAL ROLE {role}"))).execute(&mut *tx).await.unwrap();
    tx
}

/// How many rows a role sees, or the SQLSTATE it gets. In a savepoint, so that the request goes on.
async fn rows(tx: &mut PgConnection, statement: &str) -> Result<i64, String> {
    sqlx::query("SAVEPOINT one").execute(&mut *tx).await.unwrap();
    let result = sqlx::query_scalar::<_, i64>(AssertSqlSafe(statement.to_owned())).fetch_one(&mut *tx).await;
    sqlx::query("ROLLBACK TO one").execute(&mut *tx).await.unwrap();
    result.map_err(|error| error.as_database_error().and_then(|e| e.code()).unwrap_or_default().into_owned())
}

async fn tables(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// A person with one of everything that people have.
async fn person(pool: &PgPool, name: &str) -> Uuid {
    let sub = Uuid::new_v4();
    let statement = "
        WITH person AS (INSERT INTO users (supabase_user_id, email) VALUES ($1, $2) RETURNING user_id),
        member AS (INSERT INTO user_role_profiles (user_id, role_type) SELECT user_id, 'member' FROM person),
        video AS (INSERT INTO videos (owner_id, title, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count)
                  SELECT user_id, 'Rain', 'a.mp4', 'video/mp4', 1, 1, 1 FROM person RETURNING video_id, owner_id),
        run AS (INSERT INTO runs (video_id, reason) SELECT video_id, 'initial' FROM video RETURNING run_id, video_id),
        facts AS (INSERT INTO video_metadata (video_id, container, duration_ms, width, height, fps, video_codec) SELECT video_id, 'mov', 1000, 2, 2, 30, 'h264' FROM video),
        job AS (INSERT INTO jobs (run_id, video_id, stage) SELECT run_id, video_id, 'commit' FROM run),
        scene AS (INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms)
                  SELECT run_id, gen_random_uuid(), r.video_id, owner_id, 0, 0, 1000 FROM run r JOIN video USING (video_id)),
        segment AS (INSERT INTO transcript_segments (run_id, segment_no, video_id, start_ms, end_ms, text) SELECT run_id, 0, video_id, 0, 1, 'rain' FROM run),
        word AS (INSERT INTO transcript_words (run_id, word_no, segment_no, start_ms, end_ms, text, probability) SELECT run_id, 0, 0, 0, 1, 'rain', 1 FROM run),
        face AS (INSERT INTO face_profiles (owner_id, display_name) SELECT user_id, 'Ben' FROM person RETURNING person_id, owner_id),
        photo AS (INSERT INTO face_photos (person_id, owner_id, sent_key) SELECT person_id, owner_id, 'p/1' FROM face),
        decision AS (INSERT INTO face_decisions (person_id, owner_id, video_id, kind, start_ms, end_ms)
                     SELECT person_id, owner_id, video_id, 'assigned', 0, 1 FROM face JOIN video USING (owner_id)),
        token AS (INSERT INTO api_tokens (user_id, name, token_hash, scopes) SELECT user_id, 'script', sha256($2::bytea), ARRAY['read'] FROM person),
        share AS (INSERT INTO shares (owner_id, video_id, token_hash, start_ms, end_ms, expires_at) SELECT owner_id, video_id, sha256($2::bytea), 0, 1, now() FROM video),
        hook AS (INSERT INTO webhooks (owner_id, url, secret, events) SELECT user_id, 'https://example.org', 's', '{}' FROM person),
        account AS (INSERT INTO auth_credentials (id, email, password_hash) VALUES ($1, $2, 'secret') RETURNING id),
        session AS (INSERT INTO auth_sessions (credential_id, refresh_key) SELECT id, sha256($2::bytea) FROM account RETURNING session_id),
        refresh AS (INSERT INTO refresh_tokens (token_hash, session_id, counter) SELECT sha256($2::bytea), session_id, 0 FROM session),
        event AS (INSERT INTO audit_events (subject_id, action) SELECT user_id, 'account_created' FROM person)
        INSERT INTO search_log (user_id, query, hits, took_ms) SELECT user_id, 'rain', 0, 0 FROM person";
    // A statement with a writing part of its own sees no rows of the others: keys are checked at its end.
    sqlx::query(statement).bind(sub).bind(format!("{name}@example.org")).execute(pool).await.unwrap();
    sub
}

#[tokio::test]
async fn postgrest_shows_people_their_own_rows_and_writes_nothing() {
    let db = supabase().await;
    let ann = person(db.pool(), "ann").await;
    person(db.pool(), "ben").await;
    let own = [
        "users",
        "user_role_profiles",
        "videos",
        "video_metadata",
        "runs",
        "jobs",
        "scenes",
        "transcript_segments",
        "transcript_words",
        "face_profiles",
        "face_photos",
        "face_decisions",
    ];
    let mut hers = request(db.pool(), "authenticated", Some(ann)).await;
    let mut nobodys = request(db.pool(), "anon", None).await;
    for table in tables(db.pool()).await {
        let count = format!("SELECT count(*) FROM public.{table}");
        let expected = i64::from(own.contains(&table.as_str()));
        assert_eq!(rows(&mut hers, &count).await, Ok(expected), "authenticated, {table}");
        assert_eq!(rows(&mut nobodys, &count).await, Ok(0), "anon, {table}");
        let column: String = sqlx::query_scalar("SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' AND attgenerated = '' LIMIT 1")
            .bind(&table)
            .fetch_one(db.pool())
            .await
            .unwrap();
        for write in [
            format!("WITH w AS (INSERT INTO public.{table} DEFAULT VALUES RETURNING 1) SELECT count(*) FROM w"),
            format!("WITH w AS (UPDATE public.{table} SET {column} = {column} RETURNING 1) SELECT count(*) FROM w"),
            format!("WITH w AS (DELETE FROM public.{table} RETURNING 1) SELECT count(*) FROM w"),
            format!("TRUNCATE public.{table}"),
        ] {
            for (role, tx) in [("authenticated", &mut hers), ("anon", &mut nobodys)] {
                // 42501 is insufficient_privilege.
                assert_eq!(rows(tx, &write).await, Err("42501".to_owned()), "{role}: {write}");
            }
        }
    }
}

#[tokio::test]
async fn a_person_without_a_row_and_a_forged_sub_see_nothing() {
    let db = supabase().await;
    person(db.pool(), "ann").await;
    for sub in [None, Some(Uuid::new_v4()), Some(Uuid::nil())] {
        let mut tx = request(db.pool(), "authenticated", sub).await;
        for table in tables(db.pool()).await {
            assert_eq!(rows(&mut tx, &format!("SELECT count(*) FROM public.{table}")).await, Ok(0), "{sub:?} {table}");
        }
    }
}

#[tokio::test]
async fn neither_the_queue_nor_functions_nor_sequences_of_ours_are_open() {
    let db = supabase().await;
    sqlx::raw_sql(HOOK).execute(db.pool()).await.unwrap();
    for role in ["anon", "authenticated"] {
        let open: Vec<String> = sqlx::query_scalar(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
               AND (p.proname LIKE 'heimdex\\_%' OR p.proname = 'custom_access_token_hook') AND has_function_privilege($1, p.oid, 'EXECUTE')
             UNION ALL
             SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
               AND (has_sequence_privilege($1, c.oid, 'USAGE') OR has_sequence_privilege($1, c.oid, 'UPDATE'))
             UNION ALL
             SELECT 'schema apalis' WHERE has_schema_privilege($1, 'apalis', 'USAGE')
             UNION ALL
             SELECT tablename::text || ' ' || privilege FROM pg_tables, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
               WHERE schemaname = 'public' AND has_table_privilege($1, format('public.%I', tablename), privilege)",
        )
        .bind(role)
        .fetch_all(db.pool())
        .await
        .unwrap();
        assert!(open.is_empty(), "{role} may use {open:?}");
    }
}

/// What Supabase Auth gives the hook.
fn event(user: Uuid) -> Value {
    json!({
        "metadata": { "uuid": Uuid::new_v4(), "time": "2026-01-01T00:00:00Z", "name": "customize-access-token", "ip_address": "203.0.113.9" },
        "user_id": user,
        "authentication_method": "password",
        "claims": {
            "iss": "https://abc.supabase.co/auth/v1", "aud": "authenticated", "exp": 1_800_000_000, "iat": 1_799_996_400, "sub": user,
            "email": "ann@example.org", "phone": "", "role": "authenticated", "aal": "aal1", "session_id": Uuid::new_v4(),
            "is_anonymous": false, "app_metadata": { "provider": "email", "providers": ["email"] }, "user_metadata": { "role": "admin" },
        },
    })
}

async fn ask_hook(db: &mut PgConnection, event: &Value) -> Result<Value, String> {
    sqlx::query_scalar("SELECT public.custom_access_token_hook($1)")
        .bind(event)
        .fetch_one(db)
        .await
        .map_err(|error| error.as_database_error().and_then(|e| e.code()).unwrap_or_default().into_owned())
}

#[tokio::test]
async fn the_access_token_hook_adds_what_the_table_says_and_leaves_the_rest() {
    let db = supabase().await;
    let ann = person(db.pool(), "ann").await;
    // Twice: it can be run again.
    sqlx::raw_sql(HOOK).execute(db.pool()).await.unwrap();
    sqlx::raw_sql(HOOK).execute(db.pool()).await.unwrap();
    sqlx::query("INSERT INTO user_role_profiles (user_id, role_type, enabled) SELECT user_id, 'operator', true FROM users UNION ALL SELECT user_id, 'admin', false FROM users")
        .execute(db.pool())
        .await
        .unwrap();
    let mut tx = request(db.pool(), "supabase_auth_admin", None).await;
    let given = event(ann);
    let answer = ask_hook(&mut tx, &given).await.unwrap();
    let mut expected = given["claims"].clone();
    expected["app_metadata"]["role_profiles"] = json!(["member", "operator"]);
    assert_eq!(answer, json!({ "claims": expected }));
    // Somebody who signs in for the first time, and a token that has no app_metadata yet.
    let mut bare = event(Uuid::new_v4());
    bare["claims"].as_object_mut().unwrap().remove("app_metadata");
    let answer = ask_hook(&mut tx, &bare).await.unwrap();
    assert_eq!(answer["claims"]["app_metadata"], json!({ "role_profiles": ["member"] }));
    assert_eq!(answer["claims"]["role"], "authenticated");
    // It reads no more than it needs.
    assert_eq!(rows(&mut tx, "SELECT count(email) FROM public.users").await, Err("42501".to_owned()));
    assert_eq!(rows(&mut tx, "SELECT count(*) FROM public.api_tokens").await, Err("42501".to_owned()));
    drop(tx);
    for role in ["anon", "authenticated"] {
        let mut tx = request(db.pool(), role, Some(ann)).await;
        assert_eq!(ask_hook(&mut tx, &given).await, Err("42501".to_owned()), "{role}");
    }
}

#[tokio::test]
async fn a_tombstone_is_a_member_at_most() {
    let db = supabase().await;
    let ann = person(db.pool(), "ann").await;
    sqlx::raw_sql(HOOK).execute(db.pool()).await.unwrap();
    sqlx::query("INSERT INTO user_role_profiles (user_id, role_type) SELECT user_id, 'admin' FROM users")
        .execute(db.pool())
        .await
        .unwrap();
    sqlx::query("UPDATE users SET deleted_at = now()").execute(db.pool()).await.unwrap();
    let mut tx = request(db.pool(), "supabase_auth_admin", None).await;
    let answer = ask_hook(&mut tx, &event(ann)).await.unwrap();
    assert_eq!(answer["claims"]["app_metadata"]["role_profiles"], json!(["member"]));
}
