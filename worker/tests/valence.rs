//! How far valence of text tells pleasant sentences from unpleasant ones, with the offline model. `docs/affect.md` has the figures, which
//! `cargo test -p heimdex-worker --test valence -- --nocapture` prints.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

use std::cmp::Ordering;

use heimdex_models::{Registry, TextEmbedder};
use heimdex_worker::affect::Valence;

/// As people speak in videos; written before any of them was tried, and none is an anchor.
const PLEASANT: [&str; 20] = [
    "We laughed so hard that we could not stop.",
    "I am so proud of what she has done.",
    "Thank you, this means the world to me.",
    "It was the best summer of my life.",
    "He came home safe and everybody hugged him.",
    "The children cheered when the snow began to fall.",
    "This soup is absolutely delicious.",
    "We won, we actually won!",
    "She said yes, and we are getting married in June.",
    "I could listen to her sing all day.",
    "The doctors say he will recover completely.",
    "What a lovely surprise to see you here.",
    "The view from up here takes your breath away.",
    "I finally feel at peace with myself.",
    "The neighbours were kind and helped us from the first day.",
    "Our baby smiled for the first time this morning.",
    "That was an amazing performance, congratulations.",
    "I have never been so relieved.",
    "He is the funniest man I know.",
    "We danced until the sun came up.",
];
const UNPLEASANT: [&str; 20] = [
    "We lost everything in the flood.",
    "I am so ashamed of what I did.",
    "He shouted at her until she cried.",
    "It was the worst year of my life.",
    "She never came back, and we buried an empty coffin.",
    "The smell in that room made me sick.",
    "Nobody believed me when I asked for help.",
    "They fired half of us just before the holidays.",
    "I cannot sleep because I keep thinking of the accident.",
    "The dog was beaten and left to starve.",
    "The doctors say there is nothing more they can do.",
    "I hate the way he talks to people.",
    "The house was cold, filthy and full of rats.",
    "I feel completely alone in this city.",
    "Somebody broke in and stole my grandmother's ring.",
    "He lied to us for ten years.",
    "That was a disaster from beginning to end.",
    "I was scared that the boat would sink.",
    "The soldiers burned the village to the ground.",
    "My back hurts so much that I can hardly walk.",
];
const NEITHER: [&str; 20] = [
    "The bus stops here every twenty minutes.",
    "Press the button on the left to begin.",
    "The second part has four chapters.",
    "I will put the papers on your desk.",
    "Add two cups of flour and stir.",
    "The road goes along the river for a while.",
    "He works in an office near the station.",
    "The table is made of oak.",
    "We will talk about that after the break.",
    "The parcel weighs about three kilos.",
    "On the next page you see the same figure again.",
    "The shop is open from nine to six.",
    "She wrote her name at the top of the list.",
    "There are two doors, one on each side.",
    "The meeting was moved from Tuesday to Thursday.",
    "Take the stairs to the second floor.",
    "The camera is on a tripod by the window.",
    "This sentence has been translated from Danish.",
    "Water boils at a hundred degrees.",
    "They measured the width of the street.",
];

/// The probability that one of `above` is higher than one of `below` (area under the ROC curve); ties count half.
fn auc(above: &[f32], below: &[f32]) -> f64 {
    let won: f64 = above
        .iter()
        .flat_map(|a| below.iter().map(move |b| a.total_cmp(b)))
        .map(|order| match order {
            Ordering::Greater => 1.0,
            Ordering::Equal => 0.5,
            Ordering::Less => 0.0,
        })
        .sum();
    won / (above.len() * below.len()) as f64
}

fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    f32::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

#[test]
fn pleasant_sentences_are_told_from_unpleasant_ones() {
    let folder = std::env::var_os("HEIMDEX_MODELS_DIR").expect("HEIMDEX_MODELS_DIR is not set: run scripts/models");
    let embedder = TextEmbedder::load(&Registry::open(folder).unwrap().get("all-minilm-l6-v2").unwrap(), 1).unwrap();
    let valence = Valence::new(&embedder).unwrap();
    let [good, bad, plain] = [PLEASANT, UNPLEASANT, NEITHER].map(|texts| valence.of(&embedder, &texts).unwrap());
    let [against, good_against, bad_against] = [auc(&good, &bad), auc(&good, &plain), auc(&plain, &bad)];
    println!(
        "AUC: pleasant against unpleasant {against:.3}, against neither: pleasant {good_against:.3}, unpleasant {bad_against:.3}; \
         medians: pleasant {:.2}, neither {:.2}, unpleasant {:.2}",
        median(&good),
        median(&plain),
        median(&bad)
    );
    assert!(against >= 0.95, "{against}");
    assert!(good_against >= 0.75 && bad_against >= 0.75, "{good_against} {bad_against}");
}
