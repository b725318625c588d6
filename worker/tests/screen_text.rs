//! Writing in a video, from the file to the row.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::PathBuf;

use common::{Uploaded, World, media, snapshot};
use heimdex_db::Stage;
use serde_json::Value;

const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

/// Thirteen seconds: a headline that stands for ten, a sign that is there for little more than one, then a scene with nothing.
fn titled() -> PathBuf {
    media::bytes("headline.txt", b"Market falls by 3.5 percent");
    media::bytes("sign.txt", b"EXIT 12B to the museum");
    let graph = format!(
        "[0]noise=alls=6:allf=t:all_seed=7,drawtext=fontfile={FONT}:textfile=headline.txt:fontsize=24:fontcolor=white:x=100:y=600,\
         drawtext=fontfile={FONT}:textfile=sign.txt:fontsize=64:fontcolor=yellow:x=300:y=200:enable='between(t,4,5.3)'[a];\
         [a][1]concat=n=2:v=1:a=0,format=yuv420p"
    );
    media::make(
        "titled.mp4",
        &format!(
            "-f lavfi -i gradients=s=1280x720:r=25:d=10:c0=0x102030:c1=0x405060:n=2:speed=0.01:seed=3 \
             -f lavfi -i color=0x907030:s=1280x720:r=25:d=3 -filter_complex {} -c:v libx264 -preset veryfast",
            graph.replace(' ', "")
        ),
    )
}

async fn written(world: &World, video: Uploaded) -> Vec<(String, i64, i64, f32, Value)> {
    sqlx::query_as(
        "SELECT text, start_ms, end_ms, confidence, box FROM screen_texts WHERE run_id = $1 ORDER BY start_ms, text_id",
    )
    .bind(video.run_id)
    .fetch_all(world.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_headline_and_a_sign_are_rows_with_their_times() {
    let world = World::new().await;
    let file = titled();
    let video = world.upload(&file).await;
    // Somebody else's, since one person's second copy is noted as a duplicate.
    let again = world.upload(&file).await;
    let worker = world.worker("one").start();
    world.video_becomes(video, &["indexed"]).await;

    let rows = written(&world, video).await;
    // In each scene it is in, a row.
    let headlines: Vec<_> = rows.iter().filter(|row| row.0 == "Market falls by 3.5 percent").collect();
    let signs: Vec<_> = rows.iter().filter(|row| row.0 != "Market falls by 3.5 percent").collect();
    let ([headline, ..], [sign]) = (&headlines[..], &signs[..]) else { panic!("{rows:#?}") };
    assert_eq!((headline.1, headlines.last().map(|row| row.2)), (0, Some(10_000)));
    assert!(headlines.windows(2).all(|pair| pair[0].2 == pair[1].1), "{headlines:#?}");
    assert_eq!(sign.0, "EXIT 12B to the museum");
    // A picture a second: the sign came at 4 s and was gone at 5.3 s.
    assert!((4000..5300).contains(&sign.1) && (5300..6600).contains(&sign.2), "{sign:?}");
    assert!(rows.iter().all(|row| row.3 > 0.9));
    let corner = |row: &Value, n: usize, axis: usize| row[n][axis].as_f64().unwrap();
    let (left, top) = (corner(&headline.4, 0, 0), corner(&headline.4, 0, 1));
    assert!((left - 100.0 / 1280.0).abs() < 0.02 && (top - 600.0 / 720.0).abs() < 0.02, "{headline:?}");

    let (models, sidecar): (Value, String) =
        sqlx::query_as("SELECT models, artifacts->>'sidecar' FROM runs WHERE run_id = $1")
            .bind(video.run_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert!(models["ocr"].as_str().unwrap().starts_with("pp-ocr-v6@"));
    let sidecar: Value = serde_json::from_slice(&world.object(&sidecar).await).unwrap();
    let shown: Vec<_> = sidecar["scenes"].as_array().unwrap().iter().map(|scene| &scene["on_screen"]).collect();
    let all = || shown.iter().flat_map(|texts| texts.as_array().unwrap());
    assert_eq!(all().filter(|text| text["text"] == "EXIT 12B to the museum").count(), 1);
    assert_eq!(shown.last().unwrap().as_array().unwrap().len(), 0, "the plain picture at the end");

    world.video_becomes(again, &["indexed"]).await;
    world.at_rest(video).await;
    world.at_rest(again).await;
    snapshot::assert_same(&snapshot::of(&world, video).await, &snapshot::of(&world, again).await);
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test]
async fn without_a_reader_there_are_thumbnails_all_the_same() {
    let world = World::new().await;
    let video = world.upload(&titled()).await;
    let worker = world.worker("one").with("HEIMDEX_OCR_MODEL", "none").start();
    world.video_becomes(video, &["indexed"]).await;
    assert!(written(&world, video).await.is_empty());
    let (thumbnails, scenes): (i64, i64) =
        sqlx::query_as("SELECT count(thumbnail_key), count(*) FROM scenes WHERE run_id = $1")
            .bind(video.run_id)
            .fetch_one(world.pool())
            .await
            .unwrap();
    assert!(scenes >= 2 && thumbnails == scenes, "{thumbnails} of {scenes}");
    let models: Value = sqlx::query_scalar("SELECT models FROM runs WHERE run_id = $1")
        .bind(video.run_id)
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(models["ocr"], "none");
    assert_eq!(world.job(video, Stage::VisionSampleFrames).await.0, "completed");
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test]
async fn a_reader_that_is_not_there_stops_the_start_by_name() {
    let world = World::new().await;
    let mut worker = world.worker("one").with("HEIMDEX_OCR_MODEL", "pp-ocr-v99").start();
    let status = tokio::time::timeout(common::PATIENCE, worker.child.wait()).await.expect("it ends").unwrap();
    assert!(!status.success());
    let log = worker.log();
    for part in ["HEIMDEX_OCR_MODEL", "pp-ocr-v99", "scripts/models"] {
        assert!(log.contains(part), "`{part}` is not in: {log}");
    }
}
