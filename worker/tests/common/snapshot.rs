//! Everything that was found in a video, in a form that can be compared with that of another upload of the same file: ids
//! of video, runs and scenes are replaced by what they stand for, and clock times are left out.

use std::collections::BTreeMap;

use heimdex_db::keys;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Uploaded, World};

const ROWS: &[(&str, &str)] = &[
    (
        "video",
        "SELECT to_jsonb(v) - ARRAY['video_id', 'owner_id', 'created_at', 'updated_at', 'uploaded_at', 'indexed_at', 'counted_on'] AS row FROM videos v WHERE video_id = $1",
    ),
    ("metadata", "SELECT to_jsonb(m) - ARRAY['probed_at'] AS row FROM video_metadata m WHERE video_id = $1"),
    (
        "run",
        "SELECT to_jsonb(r) - ARRAY['created_at', 'visible_at', 'finished_at'] AS row FROM runs r WHERE run_id = $2 AND video_id = $1",
    ),
    (
        "jobs",
        "SELECT jsonb_build_object('stage', stage, 'state', state, 'note', note, 'progress', progress) AS row FROM jobs WHERE video_id = $1 AND run_id = $2 ORDER BY stage",
    ),
    (
        "scenes",
        "SELECT to_jsonb(s) - ARRAY['owner_id'] AS row FROM scenes s WHERE video_id = $1 AND run_id = $2 ORDER BY ordinal",
    ),
    (
        "segments",
        "SELECT to_jsonb(s) AS row FROM transcript_segments s WHERE video_id = $1 AND run_id = $2 ORDER BY segment_no",
    ),
    (
        "words",
        "SELECT to_jsonb(w) AS row FROM transcript_words w WHERE $1::uuid IS NOT NULL AND run_id = $2 ORDER BY word_no",
    ),
    (
        "windows",
        "SELECT to_jsonb(w) - ARRAY['window_id', 'owner_id'] AS row FROM text_windows w WHERE $1::uuid IS NOT NULL AND run_id = $2 ORDER BY start_ms, ordinal",
    ),
    (
        "screen_texts",
        "SELECT to_jsonb(t) - ARRAY['text_id', 'owner_id'] AS row FROM screen_texts t WHERE $1::uuid IS NOT NULL AND run_id = $2 ORDER BY text_id",
    ),
    (
        "tags",
        "SELECT to_jsonb(t) - ARRAY['owner_id'] AS row FROM scene_tags t JOIN scenes s USING (run_id, scene_id) WHERE $1::uuid IS NOT NULL AND run_id = $2 ORDER BY s.ordinal, t.tag",
    ),
    (
        "sound",
        "SELECT to_jsonb(c) - ARRAY['owner_id'] AS row FROM sound_curves c WHERE $1::uuid IS NOT NULL AND run_id = $2",
    ),
    (
        "frames",
        "SELECT to_jsonb(f) - ARRAY['owner_id'] AS row FROM frames f WHERE $1::uuid IS NOT NULL AND run_id = $2 ORDER BY at_ms",
    ),
    (
        "face tracks",
        "SELECT to_jsonb(t) - ARRAY['owner_id', 'person_id'] AS row FROM face_tracks t WHERE $1::uuid IS NOT NULL AND run_id = $2 ORDER BY track_no",
    ),
    (
        "faces",
        "SELECT to_jsonb(d) - ARRAY['detection_id', 'owner_id'] AS row FROM face_detections d WHERE $1::uuid IS NOT NULL AND run_id = $2 ORDER BY track_no, at_ms",
    ),
];

/// Rows by table, and objects by key with the hash of their bytes.
pub async fn of(world: &World, video: Uploaded) -> BTreeMap<String, Value> {
    let mut names = vec![(video.video_id.to_string(), "VIDEO".to_owned())];
    // What a run has inherited lies under the key of the run that made it.
    let runs: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT run_id FROM runs WHERE video_id = $1")
        .bind(video.video_id)
        .fetch_all(world.pool())
        .await
        .expect("runs");
    names.extend(runs.into_iter().map(|id| (id.to_string(), "RUN".to_owned())));
    let scenes: Vec<(uuid::Uuid, i32)> =
        sqlx::query_as("SELECT scene_id, ordinal FROM scenes WHERE run_id = $1 ORDER BY ordinal")
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .expect("scenes");
    names.extend(scenes.into_iter().map(|(id, ordinal)| (id.to_string(), format!("SCENE-{ordinal}"))));
    let plain = |text: String| names.iter().fold(text, |text, (id, name)| text.replace(id, name));

    let mut found = BTreeMap::new();
    for (table, query) in ROWS {
        let rows: Vec<Value> = sqlx::query_scalar(sqlx::AssertSqlSafe(*query))
            .bind(video.video_id)
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .expect("rows");
        for (n, row) in rows.into_iter().enumerate() {
            found.insert(format!("{table} {n:04}"), serde_json::from_str(&plain(row.to_string())).expect("JSON"));
        }
    }
    let prefix = keys::video_prefix(video.video_id);
    for key in world.store.list(&prefix).await.expect("a listing") {
        let bytes = world.object(&key).await;
        let content = match String::from_utf8(bytes) {
            Ok(text) => plain(text).into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        found.insert(format!("object {}", plain(key)), json!(hex::encode(Sha256::digest(content))));
    }
    found
}

/// Says what differs, and not only that something does.
pub fn assert_same(one: &BTreeMap<String, Value>, other: &BTreeMap<String, Value>) {
    let mut differences = Vec::new();
    for key in one.keys().chain(other.keys()).collect::<std::collections::BTreeSet<_>>() {
        if one.get(key) != other.get(key) {
            differences.push(format!("{key}:\n  {:?}\n  {:?}", one.get(key), other.get(key)));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
