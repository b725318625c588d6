//! Text vectors by the real model.
#![allow(clippy::unwrap_used)]

mod support;

use heimdex_models::TextEmbedder;
use support::registry;

/// Those of tests/fixtures/make_fixtures.py, whose vectors were computed in float64 by numpy.
const SENTENCES: [&str; 4] = [
    "It was the best of times, it was the worst of times.",
    "A man is talking in a car.",
    "Ein Mann spricht im Auto.",
    "Résumé naïve café 東京 — “quotes” and emoji 🙂, then some more words to make this one the longest of the four sentences.",
];

fn embedder() -> TextEmbedder {
    TextEmbedder::load(&registry().get("all-minilm-l6-v2").unwrap(), 2).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[test]
fn vectors_equal_the_independent_computation() {
    let truth: Vec<f32> = include_bytes!("fixtures/minilm.f32")
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let found = embedder().embed(&SENTENCES).unwrap();
    assert_eq!(found.len(), SENTENCES.len());
    for (sentence, (vector, truth)) in SENTENCES.iter().zip(found.iter().zip(truth.chunks_exact(384))) {
        let worst = vector.iter().zip(truth).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-4, "{sentence}: off by {worst}");
    }
}

#[test]
fn likeness_of_meaning_beats_likeness_of_words() {
    let embedder = embedder();
    let query = embedder.embed_query("somebody driving a vehicle").unwrap();
    let texts = [
        "A man is talking in a car.",
        "Somebody told me a vehicle of ideas is a metaphor.",
        "It was the best of times.",
    ];
    let found = embedder.embed(&texts).unwrap();
    let scores: Vec<f32> = found.iter().map(|vector| cosine(&query, vector)).collect();
    assert!(scores[0] > scores[2] + 0.2, "{scores:?}");
    assert!(found.iter().all(|vector| vector.len() == 384 && (cosine(vector, vector) - 1.0).abs() < 1e-5));
}

#[test]
fn company_does_not_change_a_vector() {
    let embedder = embedder();
    let long = "word ".repeat(400);
    let mixed: Vec<&str> =
        (0..70).map(|index| if index % 7 == 0 { long.as_str() } else { SENTENCES[index % 4] }).collect();
    let together = embedder.embed(&mixed).unwrap();
    for index in [0, 1, 5, 69] {
        let alone = &embedder.embed(&mixed[index..=index]).unwrap()[0];
        assert!(cosine(alone, &together[index]) > 0.99999, "text {index}");
    }
    assert!(embedder.embed(&[]).unwrap().is_empty());
    assert_eq!(embedder.embed(&[""]).unwrap()[0].len(), 384);
}

#[test]
fn long_text_is_cut_where_the_model_ends_and_windows_keep_all_of_it() {
    let embedder = embedder();
    assert_eq!(embedder.count_tokens("best of times").unwrap(), 5);
    let words: Vec<String> = (0..1000).map(|index| format!("word{index}")).collect();
    let pieces: Vec<&str> = words.iter().map(String::as_str).collect();
    let windows = embedder.windows(&pieces, 32).unwrap();
    assert!(windows.len() > 5);
    assert_eq!((windows[0].start, windows.last().unwrap().end), (0, 1000));
    for window in &windows {
        assert!(embedder.count_tokens(&pieces[window.clone()].join(" ")).unwrap() <= embedder.max_tokens());
    }
    // Beyond the longest input nothing counts any more.
    let (long, longer) = (words[..600].join(" "), words.join(" "));
    let vectors = embedder.embed(&[&long, &longer]).unwrap();
    assert!(cosine(&vectors[0], &vectors[1]) > 0.9999);
}

#[test]
fn one_embedder_serves_many_threads() {
    let embedder = embedder();
    let alone = embedder.embed(&SENTENCES).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(embedder.embed(&SENTENCES).unwrap(), alone));
        }
    });
}
