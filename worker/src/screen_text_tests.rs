use heimdex_db::VideoId;
use proptest::prelude::*;

use super::*;

const SCENE: (i64, i64) = (10_000, 20_000);

fn scene() -> SceneId {
    SceneId::derive(VideoId(uuid::Uuid::nil()), SCENE.0, SCENE.1)
}

fn line(text: &str, left: f32, top: f32, confidence: f32) -> Line {
    let (right, bottom) = (left + 0.2, top + 0.05);
    Line { text: text.to_owned(), corners: [(left, top), (right, top), (right, bottom), (left, bottom)], confidence }
}

/// One picture a second, each with these lines.
fn seconds(pictures: &[&[Line]]) -> Vec<Seen> {
    (0..).zip(pictures).map(|(n, lines)| Seen { at_ms: SCENE.0 + 500 + n * 1000, lines: lines.to_vec() }).collect()
}

fn merged(pictures: &[&[Line]]) -> Vec<(String, i64, i64)> {
    let rows = merge(scene(), SCENE, &seconds(pictures));
    rows.into_iter().map(|row| (row.text, row.start_ms, row.end_ms)).collect()
}

fn row(text: &str, start_ms: i64, end_ms: i64) -> (String, i64, i64) {
    (text.to_owned(), start_ms, end_ms)
}

#[test]
fn a_title_that_stands_is_one_row_with_its_surest_reading() {
    let found = merged(&[
        &[line("Breaking ncws", 0.1, 0.1, 0.8)],
        &[line("Breaking news", 0.1, 0.101, 0.95)],
        &[line("Breaking nevs", 0.1, 0.1, 0.85)],
        &[],
        &[],
    ]);
    assert_eq!(found, [row("Breaking news", 10_000, 13_500)]);
}

#[test]
fn a_title_that_comes_and_goes_says_when() {
    assert_eq!(merged(&[&[], &[line("EXIT", 0.5, 0.5, 0.9)], &[], &[]]), [row("EXIT", 11_500, 12_500)]);
    // One picture in which it could not be read is no end.
    let sign = [line("Platform", 0.5, 0.5, 0.9)];
    assert_eq!(merged(&[&[], &sign, &[], &sign]), [row("Platform", 11_500, 20_000)]);
    assert_eq!(merged(&[&sign, &[], &[], &sign]).len(), 2);
}

#[test]
fn the_same_words_in_two_places_are_two_rows() {
    let both = [line("Halle", 0.1, 0.1, 0.9), line("Halle", 0.7, 0.8, 0.9)];
    assert_eq!(merged(&[&both, &both]), [row("Halle", 10_000, 20_000), row("Halle", 10_000, 20_000)]);
}

#[test]
fn a_counter_gives_each_of_its_readings() {
    let times: Vec<Vec<Line>> = (0..5).map(|n| vec![line(&format!("00:0{n}"), 0.1, 0.9, 0.9)]).collect();
    let pictures: Vec<&[Line]> = times.iter().map(Vec::as_slice).collect();
    let found = merged(&pictures);
    assert_eq!(found.len(), 5);
    assert_eq!(found[2], row("00:02", 12_500, 13_500));
}

#[test]
fn scrolling_credits_are_one_row_a_name() {
    let names = ["Directed by Ann", "Sound by Bob", "Edited by Cy"];
    let at = |second: usize| -> Vec<Line> {
        let top = |n: usize| 0.9 - 0.2 * second as f32 + 0.2 * n as f32;
        (0..3).filter(|&n| (0.0..0.95).contains(&top(n))).map(|n| line(names[n], 0.3, top(n), 0.9)).collect()
    };
    let pictures: Vec<Vec<Line>> = (0..7).map(at).collect();
    let pictures: Vec<&[Line]> = pictures.iter().map(Vec::as_slice).collect();
    let found = merged(&pictures);
    assert_eq!(found.iter().map(|(text, ..)| text.as_str()).collect::<Vec<_>>(), names);
    assert!(found[0].1 < found[1].1 && found[1].1 < found[2].1);
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let text = prop::sample::select(vec!["EXIT", "EXIF", "Hall 7", "Hall 8", "今天天气", "한국어", "", "..."]);
    let one = (text, 0.0_f32..0.8, 0.0_f32..0.9, 0.0_f32..1.0).prop_map(|(t, x, y, c)| line(t, x, y, c));
    prop::collection::vec(one, 0..5)
}

proptest! {
    #[test]
    fn rows_lie_in_the_scene_and_every_reading_is_in_one(pictures in prop::collection::vec(lines(), 0..10)) {
        let slices: Vec<&[Line]> = pictures.iter().map(Vec::as_slice).collect();
        let seen = seconds(&slices);
        let rows = merge(scene(), SCENE, &seen);
        let readings: usize = seen.iter().map(|picture| picture.lines.len()).sum();
        prop_assert!(rows.len() <= readings);
        for row in &rows {
            prop_assert!(SCENE.0 <= row.start_ms && row.start_ms < row.end_ms && row.end_ms <= SCENE.1, "{row:?}");
        }
        for picture in &seen {
            for line in &picture.lines {
                let held = rows.iter().any(|row| {
                    (row.start_ms..row.end_ms).contains(&picture.at_ms)
                        && (row.text == line.text || alike(&folded(&row.text), &folded(&line.text)))
                });
                prop_assert!(held, "{line:?} at {} is in none of {rows:?}", picture.at_ms);
            }
        }
        // Again gives the same, and rows are in order of time.
        prop_assert_eq!(&merge(scene(), SCENE, &seen), &rows);
        prop_assert!(rows.windows(2).all(|pair| pair[0].start_ms <= pair[1].start_ms));
    }

    #[test]
    fn a_still_picture_gives_each_of_its_lines_once(lines in lines(), times in 1_usize..8) {
        let pictures: Vec<&[Line]> = (0..times).map(|_| lines.as_slice()).collect();
        let rows = merge(scene(), SCENE, &seconds(&pictures));
        prop_assert_eq!(rows.len(), lines.len());
        prop_assert!(rows.iter().all(|row| (row.start_ms, row.end_ms) == SCENE));
    }
}
