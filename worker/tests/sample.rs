//! The sample video against its truth: what was said, where the cuts are, how long each stage took.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::PathBuf;

use common::World;
use serde::Deserialize;

#[derive(Deserialize)]
struct Truth {
    fps: f64,
    duration_ms: i64,
    cuts: Vec<Cut>,
    fades: Vec<Fade>,
    speech: Vec<Said>,
    transcript: String,
    shots: Vec<Shot>,
}

#[derive(Deserialize)]
struct Shot {
    name: String,
    start_ms: i64,
    end_ms: i64,
    on_screen_text: Vec<String>,
}

#[derive(Deserialize)]
struct Cut {
    ms: i64,
}

#[derive(Deserialize)]
struct Fade {
    start_ms: i64,
    end_ms: i64,
}

#[derive(Deserialize)]
struct Said {
    start_ms: i64,
    text: String,
}

fn sample() -> PathBuf {
    let made = std::env::var_os("HEIMDEX_SAMPLE").map(PathBuf::from);
    let cached = || PathBuf::from(std::env::var_os("HEIMDEX_CACHE").unwrap_or_default()).join("sample/sample.mp4");
    let file = made.unwrap_or_else(cached);
    assert!(file.is_file(), "{} is missing; scripts/sample makes it", file.display());
    file
}

/// Lowercase words without punctuation.
fn words(text: &str) -> Vec<String> {
    let keep = |c: char| c.is_alphanumeric() || c == '\'';
    text.split_whitespace()
        .map(|word| word.chars().filter(|c| keep(*c)).collect::<String>().to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Levenshtein distance over words, relative to the truth.
fn word_error_rate(truth: &[String], heard: &[String]) -> f64 {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, wanted) in truth.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, found) in heard.iter().enumerate() {
            let substituted = diagonal + usize::from(wanted != found);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[heard.len()] as f64 / truth.len().max(1) as f64
}

/// CPU seconds of a process and its children (proc(5): `stat` 14 to 17, in ticks of 10 ms).
fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = after_name.split_whitespace().skip(11).take(4).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / 100.0
}

#[tokio::test]
async fn the_sample_gives_up_its_truth() {
    let file = sample();
    let truth: Truth =
        serde_json::from_slice(&std::fs::read(file.with_extension("truth.json")).expect("the truth beside it"))
            .expect("JSON");
    let world = World::new().await;
    let worker = world.worker("one").start();
    common::until("the worker serves", common::PATIENCE, async || {
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM workers").fetch_one(world.pool()).await.ok()?;
        (there == 1).then_some(())
    })
    .await;
    let video = world.upload(&file).await;
    let started = std::time::Instant::now();
    world.video_becomes(video, &["indexed"]).await;
    let wall_s = started.elapsed().as_secs_f64();

    let stages: Vec<(String, f64, f64, serde_json::Value)> = sqlx::query_as(
        "SELECT j.stage::text, extract(epoch FROM a.started_at - r.created_at)::float8,
                extract(epoch FROM coalesce(a.finished_at, now()) - r.created_at)::float8, a.stats
         FROM jobs j JOIN job_attempts a USING (job_id) JOIN runs r USING (run_id) WHERE j.run_id = $1 ORDER BY j.stage",
    )
    .bind(video.run_id)
    .fetch_all(world.pool())
    .await
    .unwrap();
    for (stage, from_s, until_s, stats) in stages {
        println!("{stage:20} {from_s:7.2} s to {until_s:7.2} s  {stats}");
    }
    let (cpu_s, peak) = (cpu_s(worker.pid()), heimdex_testing::peak_memory_bytes(worker.pid()).unwrap() >> 20);
    let length_s = truth.duration_ms as f64 / 1000.0;
    println!(
        "{wall_s:.2} s for {length_s:.2} s: {:.1}x realtime; {cpu_s:.1} CPU s, peak {peak} MiB",
        length_s / wall_s
    );

    let starts: Vec<(i64, String)> =
        sqlx::query_as("SELECT start_ms, transition FROM scenes WHERE run_id = $1 ORDER BY ordinal OFFSET 1")
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .unwrap();
    let two_frames_ms = (2000.0 / truth.fps).ceil() as i64;
    for cut in &truth.cuts {
        assert!(
            starts.iter().any(|(at, _)| (at - cut.ms).abs() <= two_frames_ms),
            "cut at {} not found in {starts:?}",
            cut.ms
        );
    }
    for (at, transition) in &starts {
        let cut = truth.cuts.iter().any(|cut| (at - cut.ms).abs() <= two_frames_ms);
        let fade = truth.fades.iter().any(|fade| fade.start_ms <= *at && *at <= fade.end_ms);
        assert!(cut || fade, "false {transition} at {at}");
    }
    assert!(
        starts.iter().any(|(at, _)| truth.fades.iter().any(|fade| fade.start_ms <= *at && *at <= fade.end_ms)),
        "the fade"
    );

    let heard: Vec<(i64, String)> =
        sqlx::query_as("SELECT start_ms, text FROM transcript_words WHERE run_id = $1 ORDER BY word_no")
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .unwrap();
    let text: String = heard.iter().map(|(_, word)| word.as_str()).collect();
    let wer = word_error_rate(&words(&truth.transcript), &words(&text));
    println!("word error rate {:.1} %", wer * 100.0);
    assert!(wer <= 0.12, "word error rate {wer:.3}: {text}");

    let phrase = words("it was the best of times");
    let plain: Vec<String> = heard.iter().map(|(_, word)| words(word).join("")).collect();
    let place = plain.windows(phrase.len()).position(|window| window == phrase).expect("the phrase is heard");
    let said = truth
        .speech
        .iter()
        .find(|said| said.text.to_lowercase().starts_with("it was the best of times"))
        .expect("said");
    assert!((heard[place].0 - said.start_ms).abs() <= 500, "heard at {}, said at {}", heard[place].0, said.start_ms);

    let written: Vec<(i64, i64, String)> =
        sqlx::query_as("SELECT start_ms, end_ms, text FROM screen_texts WHERE run_id = $1 ORDER BY start_ms, text_id")
            .bind(video.run_id)
            .fetch_all(world.pool())
            .await
            .unwrap();
    // The counter's shot shows digits that its truth leaves out.
    for shot in truth.shots.iter().filter(|shot| shot.name != "counter") {
        let middle = (shot.start_ms + shot.end_ms) / 2;
        let mut seen: Vec<&str> = written
            .iter()
            .filter(|(start_ms, end_ms, _)| (*start_ms..*end_ms).contains(&middle))
            .map(|(_, _, text)| text.as_str())
            .collect();
        for truth in &shot.on_screen_text {
            let place = seen.iter().position(|text| strsim::normalized_levenshtein(text, truth) >= 0.95);
            assert!(place.is_some(), "{}: `{truth}` is not among {seen:?}", shot.name);
            seen.remove(place.unwrap_or_default());
        }
        assert!(seen.is_empty(), "{}: {seen:?} is not there", shot.name);
    }
    worker.terminate().await;
}
