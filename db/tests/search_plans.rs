//! How searches are carried out in a library of many owners: by indexes that begin with the owner, vector by vector where there are
//! few, along the HNSW index where there are many, and never by reading everybody's scenes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use heimdex_db::{
    SceneId, UserId, VideoId,
    search::{self, Embedding, Filters, Near, Planned, VectorSearch},
    vector_indexes::{FEW, Tended, index_name, tend},
    vectors::{VectorKind, ensure_model},
};
use heimdex_testing::TestDb;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

const TEXT_MODEL: &str = "text-of-the-tests";
const IMAGE_MODEL: &str = "image-of-the-tests";
const DIMENSION: usize = 16;
const DEADLINE: Duration = Duration::from_secs(30);
/// Kind, model, and the indexes that begin with the owner.
const SPACES: [(VectorKind, &str, &[&str]); 2] = [
    (VectorKind::Text, TEXT_MODEL, &["text_windows_by_owner"]),
    (VectorKind::Image, IMAGE_MODEL, &["scenes_by_image_model", "scenes_by_owner"]),
];

/// Two owners with the same 5,300 scenes, and thirty-nine with the fifty of their first video each.
struct Library {
    db: TestDb,
    large: UserId,
    small: UserId,
}

/// Videos of a hundred scenes, or of fifty; words are random, but the same in every test, and what is seen depends on the place in the
/// library alone.
/// Rows refer to each other as they should; to check each of them would take longer than to write it.
const FILL: &str = "
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO users (email) SELECT 'owner-' || n || '@example.org' FROM generate_series(0, 40) n;
    INSERT INTO videos (video_id, owner_id, title, state, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count)
        SELECT md5('video ' || u.email || n)::uuid, u.user_id, 'Recording ' || n, 'indexed', 'a.mp4', 'video/mp4', 1, 1, 1
        FROM users u CROSS JOIN generate_series(1, 53) n WHERE u.email IN ('owner-0@example.org', 'owner-1@example.org') OR n = 1;
    INSERT INTO runs (run_id, video_id, reason, state, language, visible_at)
        SELECT md5('run ' || video_id)::uuid, video_id, 'initial', 'completed', 'en', now() FROM videos;
    UPDATE videos SET current_run_id = md5('run ' || video_id)::uuid;
    SELECT setseed(0.5);
    INSERT INTO scenes (run_id, scene_id, video_id, owner_id, ordinal, start_ms, end_ms, text, text_tsv, image_vec, image_model)
        SELECT v.current_run_id, md5('scene ' || v.video_id || n)::uuid, v.video_id, v.owner_id, n, n * 1000, n * 1000 + 1000, said.text,
               to_tsvector('english', said.text) || to_tsvector('simple', said.text), looks.vec, 'image-of-the-tests'
        FROM videos v JOIN users u ON u.user_id = v.owner_id
        CROSS JOIN LATERAL generate_series(1, CASE WHEN u.email IN ('owner-0@example.org', 'owner-1@example.org') THEN 100 ELSE 50 END) n
        CROSS JOIN LATERAL (SELECT string_agg('word' || (3000 * power(random(), 2))::integer, ' ') AS text FROM generate_series(1, 8) WHERE n > 0) AS said
        CROSS JOIN LATERAL (SELECT l2_normalize(array_agg(get_byte(sha256(convert_to(v.title || ' ' || n, 'UTF8')), place) - 127.5 ORDER BY place)::vector) AS vec
                            FROM generate_series(0, 15) place) AS looks;
    INSERT INTO text_windows (run_id, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model)
        SELECT s.run_id, s.scene_id, s.owner_id, 0, s.start_ms, s.end_ms, s.text, s.image_vec, 'text-of-the-tests' FROM scenes s;
    INSERT INTO screen_texts (run_id, scene_id, owner_id, start_ms, end_ms, text, confidence, box)
        SELECT s.run_id, s.scene_id, s.owner_id, s.start_ms, s.end_ms, substr(md5(s.scene_id::text), 1, 12), 0.9, '[]' FROM scenes s WHERE s.ordinal % 3 = 0;
    INSERT INTO scene_tags (run_id, scene_id, owner_id, tag, score, source)
        SELECT s.run_id, s.scene_id, s.owner_id, (ARRAY['car', 'dog', 'tree', 'boat'])[1 + s.ordinal % 4], random(), 'test' FROM scenes s;
    INSERT INTO tag_labels (tag, language, label, place, config, phrase) VALUES ('car', 'en', 'car', 0, 'english', 'car');
    INSERT INTO face_profiles (owner_id, display_name) SELECT u.user_id, 'Minji Kim' FROM users u;
    INSERT INTO face_tracks (run_id, track_no, scene_id, owner_id, start_ms, end_ms, faces, frames, quality, face_model, person_id)
        SELECT s.run_id, s.ordinal, s.scene_id, s.owner_id, s.start_ms, s.end_ms, 1 + s.ordinal % 8, 8, 0.9, 'faces', p.person_id
        FROM scenes s JOIN face_profiles p ON p.owner_id = s.owner_id WHERE s.ordinal % 2 = 0;
    COMMIT";

impl Library {
    async fn new() -> Self {
        let db = TestDb::new().await.unwrap();
        let pool = db.pool();
        // Built afterwards: row by row they would take most of the test.
        let late: Vec<(String, String)> = sqlx::query_as(
            "SELECT indexname::text, indexdef FROM pg_indexes WHERE indexname IN ('scenes_text_tsv', 'scenes_text_trgm', 'screen_texts_trgm')",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        assert_eq!(late.len(), 3);
        for (name, _) in &late {
            sqlx::raw_sql(AssertSqlSafe(format!("DROP INDEX {name}"))).execute(pool).await.unwrap();
        }
        sqlx::raw_sql(FILL).execute(pool).await.unwrap();
        for (_, definition) in late {
            sqlx::raw_sql(AssertSqlSafe(definition)).execute(pool).await.unwrap();
        }
        ensure_model(pool, VectorKind::Text, TEXT_MODEL, DIMENSION).await.unwrap();
        ensure_model(pool, VectorKind::Image, IMAGE_MODEL, DIMENSION).await.unwrap();
        // Texts and pictures of the two large ones.
        assert_eq!(tend(pool).await.unwrap(), Tended { built: 4, dropped: 0 });
        sqlx::raw_sql("VACUUM (ANALYZE)").execute(pool).await.unwrap();
        let (large, small) = (owner(pool, 0).await, owner(pool, 17).await);
        Self { db, large, small }
    }

    fn pool(&self) -> &PgPool {
        self.db.pool()
    }

    async fn plan(&self, owner: UserId, planned: Planned<'_>, filters: &Filters) -> Plan {
        let explained = search::explain(self.pool(), owner, planned, filters).await.unwrap();
        let mut plan = Plan::default();
        collect(&explained[0]["Plan"], true, &mut plan);
        plan
    }

    /// What was read to answer.
    async fn reads(&self, owner: UserId, planned: Planned<'_>) -> BTreeSet<Read> {
        let plan = self.plan(owner, planned, &Filters::default()).await;
        plan.reads_no_table_through();
        plan.reads
    }

    /// Of a scene of the owner.
    async fn looks(&self, owner: UserId) -> Vec<f32> {
        let text: String =
            sqlx::query_scalar("SELECT image_vec::text FROM scenes WHERE owner_id = $1 ORDER BY scene_id LIMIT 1")
                .bind(owner)
                .fetch_one(self.pool())
                .await
                .unwrap();
        text.trim_matches(['[', ']']).split(',').map(|number| number.parse().unwrap()).collect()
    }

    /// The ten nearest scenes by the search, and by comparing the query with each of the owner's vectors.
    async fn nearest(
        &self,
        kind: VectorKind,
        owner: UserId,
        query: &Embedding,
    ) -> (BTreeSet<SceneId>, BTreeSet<SceneId>) {
        let near = Near { except: None, floor: -1.0, limit: 200 };
        let search = VectorSearch::new(self.pool().clone());
        let found = search.near(kind, owner, query, &Filters::default(), near, DEADLINE).await.unwrap();
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let exact: Vec<SceneId> = sqlx::query_scalar(
            "SELECT scene_id FROM scenes WHERE owner_id = $1 ORDER BY image_vec <=> $2::real[]::vector LIMIT 10",
        )
        .bind(owner)
        .bind(&query.vector)
        .fetch_all(self.pool())
        .await
        .unwrap();
        (found.into_iter().take(10).map(|candidate| candidate.scene_id).collect(), exact.into_iter().collect())
    }
}

async fn owner(pool: &PgPool, number: usize) -> UserId {
    sqlx::query_scalar("SELECT user_id FROM users WHERE email = $1")
        .bind(format!("owner-{number}@example.org"))
        .fetch_one(pool)
        .await
        .unwrap()
}

/// A scan that was carried out.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    how: String,
    /// The index, or else the table.
    what: String,
}

#[derive(Debug, Default)]
struct Plan {
    /// What the statement has after `WITH`, carried out or not.
    parts: BTreeSet<String>,
    reads: BTreeSet<Read>,
    /// Rows that were read and are not what is asked for.
    left: BTreeMap<String, f64>,
}

impl Plan {
    fn reads_no_table_through(&self) {
        let everybody = ["scenes", "text_windows", "screen_texts", "scene_tags", "face_tracks"];
        let through = |read: &&Read| read.how == "Seq Scan" && everybody.contains(&read.what.as_str());
        assert_eq!(self.reads.iter().find(through), None, "{self:?}");
    }

    fn is_of(&self, parts: &[&str]) -> bool {
        self.parts.iter().map(String::as_str).eq(parts.iter().copied())
    }
}

/// Parts of a plan that the others made superfluous are in it too, with no loops; nothing below them ran. A table that is read from its
/// beginning only until there are so many rows of the owner is not read through: it is how the rows of somebody who has nearly all of them
/// are counted.
fn collect(node: &Value, above_ran: bool, plan: &mut Plan) {
    if let Some(part) = node["Subplan Name"].as_str().and_then(|name| name.strip_prefix("CTE ")) {
        plan.parts.insert(part.into());
    }
    let ran = above_ran && node["Actual Loops"].as_f64() != Some(0.0);
    let how = node["Node Type"].as_str().unwrap();
    if ran && let Some(what) = node["Index Name"].as_str().or_else(|| node["Relation Name"].as_str()) {
        plan.reads.insert(Read { how: how.into(), what: what.into() });
        *plan.left.entry(what.into()).or_default() += node["Rows Removed by Filter"].as_f64().unwrap_or(0.0);
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        if !(how == "Limit" && below["Node Type"] == "Seq Scan") {
            collect(below, ran, plan);
        }
    }
}

fn names(reads: &BTreeSet<Read>, index: &str) -> bool {
    reads.iter().any(|read| read.what == index)
}

#[tokio::test]
async fn vectors_are_compared_where_they_are_few_and_walked_where_they_are_many() {
    let library = Library::new().await;
    let (large, small) = (library.large, library.small);
    let search = VectorSearch::new(library.pool().clone());
    for (kind, model, by_owner) in SPACES {
        let hnsw = index_name(kind, large, model).unwrap();
        let query = Embedding { model: model.into(), vector: library.looks(large).await };
        let planned = Planned::Near(&search, kind, &query);
        let everything = Filters::default();

        let plan = library.plan(small, planned, &everything).await;
        plan.reads_no_table_through();
        assert!(plan.is_of(&["asked", "exact"]), "{plan:?}");
        assert!(by_owner.iter().any(|index| names(&plan.reads, index)), "{plan:?}");
        assert!(!plan.reads.iter().any(|read| read.what.starts_with("near_")), "{plan:?}");
        // Once, not for each of their videos.
        assert!(!plan.reads.iter().any(|read| read.how == "Bitmap Index Scan"), "{plan:?}");

        let plan = library.plan(large, planned, &everything).await;
        plan.reads_no_table_through();
        assert!(plan.is_of(&["asked", "walked"]), "{plan:?}");
        assert!(names(&plan.reads, &hnsw), "{plan:?}");
        // Another has the same pictures and says the same: the walk passes none of theirs.
        assert_eq!(plan.left[&hnsw], 0.0, "{plan:?}");

        let (found, exact) = library.nearest(kind, small, &query).await;
        assert_eq!(found, exact);
        let (found, exact) = library.nearest(kind, large, &query).await;
        assert!(found.intersection(&exact).count() >= 9, "{found:?} {exact:?}");
    }
}

#[tokio::test]
async fn how_many_vectors_pass_filters_is_found_by_the_statement_itself() {
    let library = Library::new().await;
    let (large, small) = (library.large, library.small);
    let search = VectorSearch::new(library.pool().clone());
    let video: VideoId =
        sqlx::query_scalar("SELECT video_id FROM videos WHERE owner_id = $1 ORDER BY video_id LIMIT 1")
            .bind(large)
            .fetch_one(library.pool())
            .await
            .unwrap();
    let in_english = Filters { languages: Some(vec!["en".into()]), ..Filters::default() };
    let in_one_video = Filters { video_ids: Some(vec![video]), ..Filters::default() };
    for (kind, model, _) in SPACES {
        let hnsw = index_name(kind, large, model).unwrap();
        let query = Embedding { model: model.into(), vector: library.looks(large).await };
        for (owner, filters, walked, parts) in [
            (large, &in_english, true, &["asked", "exact", "few", "walked"][..]),
            (large, &in_one_video, false, &["asked", "exact", "few", "walked"]),
            (small, &in_english, false, &["asked", "exact"]),
        ] {
            let plan = library.plan(owner, Planned::Near(&search, kind, &query), filters).await;
            assert!(plan.is_of(parts), "{plan:?}");
            assert_eq!(names(&plan.reads, &hnsw), walked, "{filters:?}: {plan:?}");
        }
    }
}

#[tokio::test]
async fn a_library_has_an_index_of_its_own_as_long_as_it_is_large() {
    let library = Library::new().await;
    let (pool, large) = (library.pool(), library.large);
    let query = Embedding { model: TEXT_MODEL.into(), vector: library.looks(large).await };
    let everything = Filters::default();
    let remembering = VectorSearch::remembering(pool.clone(), Duration::MAX);
    let forgetting = VectorSearch::remembering(pool.clone(), Duration::ZERO);
    let part = async |search: &VectorSearch| {
        let plan = library.plan(large, Planned::Near(search, VectorKind::Text, &query), &everything).await;
        plan.parts.into_iter().find(|part| part != "asked").unwrap()
    };
    let without = async |clause: &str| {
        let statement = format!("DELETE FROM text_windows WHERE owner_id = $1 AND {clause}");
        sqlx::query(AssertSqlSafe(statement)).bind(large).execute(pool).await.unwrap();
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM text_windows WHERE owner_id = $1")
            .bind(large)
            .fetch_one(pool)
            .await
            .unwrap()
    };
    assert_eq!(part(&remembering).await, "walked");
    assert_eq!(tend(pool).await.unwrap(), Tended::default(), "there is nothing to do");

    // A few less than it takes to get one keep it; it goes with the library.
    assert!((FEW / 2..FEW).contains(&without("start_ms <= 6000").await));
    assert_eq!(tend(pool).await.unwrap(), Tended::default());
    assert_eq!(part(&forgetting).await, "walked");
    assert!(without("start_ms <= 60000").await <= FEW / 2);
    assert_eq!(tend(pool).await.unwrap(), Tended { built: 0, dropped: 1 });
    assert_eq!(part(&forgetting).await, "exact");
    // Who has not heard of it yet finds as much.
    assert_eq!(part(&remembering).await, "walked");
    let near = Near { except: None, floor: -1.0, limit: 10 };
    let mut found = Vec::new();
    for search in [&remembering, &forgetting] {
        let here = search.near(VectorKind::Text, large, &query, &everything, near, DEADLINE).await.unwrap();
        found.push(here.into_iter().map(|candidate| candidate.scene_id).collect::<BTreeSet<_>>());
    }
    assert_eq!(found[0], found[1]);

    // It grows again, and two workers see it at once.
    let more = "INSERT INTO text_windows (run_id, scene_id, owner_id, ordinal, start_ms, end_ms, text, text_vec, text_model)
        SELECT run_id, scene_id, owner_id, 0, start_ms, end_ms, text, image_vec, 'text-of-the-tests' FROM scenes WHERE owner_id = $1 AND start_ms <= 60000";
    sqlx::query(more).bind(large).execute(pool).await.unwrap();
    assert_eq!(part(&forgetting).await, "exact");
    let (one, other) = tokio::join!(tend(pool), tend(pool));
    assert_eq!(one.unwrap().built + other.unwrap().built, 1);
    assert_eq!(part(&forgetting).await, "walked");
}

#[tokio::test]
async fn an_index_that_is_not_whole_or_of_an_earlier_version_is_made_anew() {
    let library = Library::new().await;
    let (pool, large) = (library.pool(), library.large);
    let name = index_name(VectorKind::Text, large, TEXT_MODEL).unwrap();
    // As a build leaves it that was broken off.
    let broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass($1)";
    sqlx::query(broken).bind(&name).execute(pool).await.unwrap();
    sqlx::raw_sql(
        "CREATE INDEX scenes_of_everybody_hnsw ON scenes USING hnsw ((image_vec::halfvec(16)) halfvec_cosine_ops)",
    )
    .execute(pool)
    .await
    .unwrap();
    let query = Embedding { model: TEXT_MODEL.into(), vector: library.looks(large).await };
    let search = VectorSearch::remembering(pool.clone(), Duration::ZERO);
    let planned = Planned::Near(&search, VectorKind::Text, &query);
    assert!(library.plan(large, planned, &Filters::default()).await.is_of(&["asked", "exact"]));

    assert_eq!(tend(pool).await.unwrap(), Tended { built: 1, dropped: 2 });
    assert!(library.plan(large, planned, &Filters::default()).await.is_of(&["asked", "walked"]));
}

#[tokio::test]
async fn a_search_reads_what_is_the_owners_and_no_more_of_it_than_it_must() {
    let library = Library::new().await;
    let (large, small) = (library.large, library.small);

    // Words of the largest library by the index that begins with its owner. (Parts of words are bounded by a limit, and of somebody who has
    // nearly everything the planner may as well begin to read.)
    let reads = library.reads(large, Planned::Words("word700")).await;
    assert!(names(&reads, "scenes_text_tsv"), "{reads:?}");
    let reads = library.reads(large, Planned::Words("word700 word800 word900")).await;
    assert!(names(&reads, "scenes_text_tsv"), "{reads:?}");
    let reads = library.reads(large, Planned::Written("c0ffee")).await;
    assert!(names(&reads, "screen_texts_trgm"), "{reads:?}");
    // The best of a tag, and where a person is most, are first in their indexes.
    let reads = library.reads(large, Planned::Tagged("a car")).await;
    assert!(names(&reads, "scene_tags_by_tag"), "{reads:?}");
    let reads = library.reads(large, Planned::Who("minji kim")).await;
    assert!(names(&reads, "face_tracks_by_share"), "{reads:?}");

    for planned in [
        Planned::Words("word700"),
        Planned::Words("ord70"),
        Planned::Words("word700 word800 word900"),
        Planned::Written("c0ffee"),
        Planned::Tagged("a car"),
        Planned::Who("minji kim"),
    ] {
        library.reads(small, planned).await;
    }
}

#[tokio::test]
async fn somebody_who_is_everywhere_is_found_in_the_video_that_is_asked_for() {
    let library = Library::new().await;
    let videos: Vec<VideoId> =
        sqlx::query_scalar("SELECT video_id FROM videos WHERE owner_id = $1 ORDER BY video_id LIMIT 3")
            .bind(library.large)
            .fetch_all(library.pool())
            .await
            .unwrap();
    for video in videos {
        let filters = Filters { video_ids: Some(vec![video]), ..Filters::default() };
        let found = search::who(library.pool(), library.large, "minji kim", &filters, 200, DEADLINE).await.unwrap();
        assert!(found.iter().all(|candidate| candidate.video_id == video));
        assert_eq!(found.len(), 50, "in every second of its scenes");
    }
}
