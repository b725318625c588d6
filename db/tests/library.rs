//! The library's list over 5,000 videos, many of which are equal in what they are ordered by.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use std::collections::HashSet;

use heimdex_db::{
    UserId, VideoId,
    videos::{self, After, ListQuery, ListedRow, Sort},
};
use heimdex_testing::TestDb;
use proptest::{prelude::*, test_runner::TestRunner};
use sqlx::PgPool;

const SORTS: [Sort; 5] = [Sort::Newest, Sort::Oldest, Sort::Title, Sort::Duration, Sort::Indexed];
const VIDEOS: usize = 5000;

async fn user(pool: &PgPool) -> UserId {
    sqlx::query_scalar("INSERT INTO users (email) VALUES (gen_random_uuid()::text || '@example.org') RETURNING user_id")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Ten videos a minute, titles that differ in case only, lengths and indexings that many share or that are not known.
async fn library(pool: &PgPool, count: usize) -> UserId {
    let owner = user(pool).await;
    sqlx::query(
        "INSERT INTO videos (owner_id, title, state, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count,
                             size_bytes, created_at, indexed_at, tags)
         SELECT $1, (ARRAY['Rain', 'rain', 'Sun', '바다', '100% _'])[1 + n % 5] || CASE WHEN n % 3 = 0 THEN '' ELSE ' ' || (n % 50)::text END,
                (CASE WHEN n % 7 = 0 THEN 'failed' ELSE 'indexed' END)::video_state, 'a.mp4', 'video/mp4', 1, 1, 1,
                n, timestamptz '2026-01-01 00:00Z' + (n / 10) * interval '1 minute',
                CASE WHEN n % 4 > 0 THEN timestamptz '2026-02-01 00:00Z' + (n % 100) * interval '1 hour' END,
                CASE WHEN n % 2 = 0 THEN ARRAY['even'] ELSE ARRAY[]::text[] END
         FROM generate_series(1, $2) AS n",
    )
    .bind(owner)
    .bind(i32::try_from(count).unwrap())
    .execute(pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO video_metadata (video_id, container, duration_ms, width, height, fps, video_codec)
         SELECT video_id, 'mov', (size_bytes % 200) * 1000, 2, 2, 30, 'h264' FROM videos WHERE owner_id = $1 AND size_bytes % 6 > 0",
    )
    .bind(owner)
    .execute(pool)
    .await
    .unwrap();
    owner
}

fn behind(sort: Sort, row: &ListedRow) -> After {
    match sort {
        Sort::Newest | Sort::Oldest => After::CreatedAt(row.created_at, row.video_id),
        Sort::Title => After::Title(row.title.clone(), row.video_id),
        Sort::Duration => After::Duration(row.duration_ms, row.video_id),
        Sort::Indexed => After::IndexedAt(row.indexed_at, row.video_id),
    }
}

async fn page(pool: &PgPool, owner: UserId, query: &ListQuery, after: Option<After>, limit: usize) -> Vec<ListedRow> {
    let query = ListQuery { after, limit: i64::try_from(limit).unwrap(), ..query.clone() };
    videos::list_ids(pool, owner, &query).await.unwrap()
}

/// A video that comes while somebody turns pages.
async fn newcomer(pool: &PgPool, owner: UserId) -> VideoId {
    sqlx::query_scalar(
        "INSERT INTO videos (owner_id, title, state, original_filename, mime_type, declared_size_bytes, part_size_bytes, part_count, tags)
         VALUES ($1, 'Rain 7', 'indexed', 'a.mp4', 'video/mp4', 1, 1, 1, ARRAY['even']) RETURNING video_id",
    )
    .bind(owner)
    .fetch_one(pool)
    .await
    .unwrap()
}

#[test]
fn pages_of_any_size_in_any_order_have_every_video_once_whatever_comes_meanwhile() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (db, owner) = runtime.block_on(async {
        let db = TestDb::new().await.unwrap();
        let owner = library(db.pool(), VIDEOS).await;
        // Somebody else's, which must not show.
        library(db.pool(), 50).await;
        (db, owner)
    });
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() });
    let cases = (proptest::sample::select(SORTS.to_vec()), 60_usize..1500, any::<bool>());
    runner
        .run(&cases, |(sort, size, narrowed)| {
            runtime.block_on(async {
                let query = ListQuery { sort, tag: narrowed.then(|| "even".to_owned()), ..ListQuery::default() };
                let whole = page(db.pool(), owner, &query, None, 2 * VIDEOS).await;
                let expected: Vec<VideoId> = whole.iter().map(|row| row.video_id).collect();
                let (mut seen, mut after, mut late) = (Vec::new(), None, None);
                loop {
                    let rows = page(db.pool(), owner, &query, after, size).await;
                    let Some(last) = rows.last() else { break };
                    after = Some(behind(sort, last));
                    seen.extend(rows.iter().map(|row| row.video_id));
                    if late.is_none() {
                        late = Some(newcomer(db.pool(), owner).await);
                    }
                }
                seen.retain(|id| Some(*id) != late);
                sqlx::query("DELETE FROM videos WHERE video_id = $1").bind(late).execute(db.pool()).await.unwrap();
                prop_assert_eq!(expected.len(), if narrowed { VIDEOS / 2 } else { VIDEOS });
                prop_assert_eq!(expected.iter().collect::<HashSet<_>>().len(), expected.len());
                prop_assert_eq!(seen, expected);
                Ok(())
            })
        })
        .unwrap();
}

#[tokio::test]
async fn each_order_is_the_one_it_is_called_and_the_page_that_is_shown_has_the_same() {
    let db = TestDb::new().await.unwrap();
    let owner = library(db.pool(), 500).await;
    for sort in SORTS {
        let query = ListQuery { sort, limit: 500, ..ListQuery::default() };
        let rows = videos::list_ids(db.pool(), owner, &query).await.unwrap();
        let in_order = rows.windows(2).all(|pair| match sort {
            Sort::Newest => pair[0].created_at >= pair[1].created_at,
            Sort::Oldest => pair[0].created_at <= pair[1].created_at,
            // How letters are ordered is the database's matter; equal ones are together.
            Sort::Title => true,
            // What is not known is at the end: `None` is the least.
            Sort::Duration => pair[0].duration_ms >= pair[1].duration_ms,
            Sort::Indexed => pair[0].indexed_at >= pair[1].indexed_at,
        });
        assert!(in_order, "{sort:?}");
        let shown = videos::list(db.pool(), owner, &query).await.unwrap();
        assert!(shown.iter().map(|row| row.video_id).eq(rows.iter().map(|row| row.video_id)), "{sort:?}");
    }
    let by_title = ListQuery { sort: Sort::Title, limit: 500, ..ListQuery::default() };
    let mut titles: Vec<_> = videos::list(db.pool(), owner, &by_title)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.title.to_lowercase())
        .collect();
    titles.dedup();
    let different: HashSet<_> = titles.iter().cloned().collect();
    assert_eq!(titles.len(), different.len(), "titles that differ in case only stand together");
}

#[tokio::test]
async fn a_list_is_narrowed_by_tag_time_and_size() {
    let db = TestDb::new().await.unwrap();
    let owner = library(db.pool(), 100).await;
    let count = async |query: ListQuery| {
        videos::list(db.pool(), owner, &ListQuery { limit: 1000, ..query }).await.unwrap().len()
    };
    assert_eq!(count(ListQuery { tag: Some("even".into()), ..ListQuery::default() }).await, 50);
    assert_eq!(count(ListQuery { tag: Some("EVEN".into()), ..ListQuery::default() }).await, 0);
    assert_eq!(count(ListQuery { size_bytes: Some(17), ..ListQuery::default() }).await, 1);
    let at = |text: &str| Some(text.parse().unwrap());
    // Minutes 2 and 3 of ten videos each.
    let (created_after, created_before) = (at("2026-01-01T00:02:00Z"), at("2026-01-01T00:04:00Z"));
    assert_eq!(count(ListQuery { created_after, created_before, ..ListQuery::default() }).await, 20);
    assert_eq!(count(ListQuery { text: Some("100% _".into()), ..ListQuery::default() }).await, 20);
}

#[tokio::test]
async fn tags_are_put_on_and_taken_off_and_counted() {
    let db = TestDb::new().await.unwrap();
    let owner = library(db.pool(), 10).await;
    let other = library(db.pool(), 10).await;
    let video = videos::list(db.pool(), owner, &ListQuery { size_bytes: Some(2), limit: 1, ..ListQuery::default() })
        .await
        .unwrap()
        .remove(0)
        .video_id;
    let mut connection = db.pool().acquire().await.unwrap();
    let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    videos::retag(&mut connection, owner, video, &words(&["sea", "even", "100%"]), &[]).await.unwrap();
    assert_eq!(videos::find(db.pool(), owner, video).await.unwrap().tags, ["even", "sea", "100%"]);
    videos::retag(&mut connection, owner, video, &[], &words(&["even", "never"])).await.unwrap();
    assert_eq!(videos::find(db.pool(), owner, video).await.unwrap().tags, ["sea", "100%"]);
    assert!(videos::retag(&mut connection, other, video, &words(&["mine"]), &[]).await.is_err());
    let many: Vec<String> = (0..videos::MAX_TAGS).map(|n| format!("t{n}")).collect();
    let refused = videos::retag(&mut connection, owner, video, &many, &[]).await.unwrap_err();
    assert_eq!(refused.to_string(), "conflict: too_many_tags");

    let used = async |text: Option<&str>| -> Vec<(String, i64)> {
        let tags = videos::own_tags(db.pool(), owner, text, 10).await.unwrap();
        tags.into_iter().map(|own| (own.tag, own.videos)).collect()
    };
    assert_eq!(used(None).await, [("even".to_owned(), 4), ("100%".to_owned(), 1), ("sea".to_owned(), 1)]);
    assert_eq!(used(Some("%")).await, [("100%".to_owned(), 1)]);
    assert_eq!(used(Some("SE")).await, [("sea".to_owned(), 1)]);
}
