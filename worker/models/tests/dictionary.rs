//! The dictionary that `scripts/models` puts together.

mod support;

use heimdex_models::Dictionary;

/// What single words are called, and nothing beside it.
const WORDS: &[(&str, &str)] = &[
    ("リンゴ", "apple"),
    ("猫", "cat"),
    ("駅", "station"),
    ("火车", "train"),
    ("nocny", "nocturnal"),
    ("skrzypek", "violinist"),
    ("kawiarnia", "cafe"),
    ("lapin", "rabbit"),
    ("Ziegelsteine", "bricks"),
];

/// Of each sentence the words that make it what it is.
const SENTENCES: &[(&str, &[&str])] = &[
    ("Pourquoi la tour a-t-elle été reconstruite ?", &["tower"]),
    ("un tren nocturno lleno de estudiantes", &["train", "student"]),
    ("Wann wurde das Band aufgenommen?", &["band"]),
    ("eine Frau liest ein Buch im Park", &["woman", "book", "park"]),
    ("una donna prepara la cena in cucina", &["woman", "kitchen"]),
    ("o gato dorme no sofá", &["cat", "sleep", "sofa"]),
    ("een man fietst door de regen", &["man", "rain"]),
    ("en kvinna sjunger på scenen", &["woman", "sing", "scene"]),
    ("kobieta gotuje obiad w kuchni", &["woman", "kitchen"]),
    ("海辺で犬が走る", &["beach", "dog", "run"]),
    ("一个女人在厨房做饭", &["woman", "kitchen", "cook"]),
    ("草莓", &["strawberry"]),
];

fn dictionary() -> Dictionary {
    let manifest = support::registry().get("words-in-english").expect("scripts/models makes it");
    Dictionary::load(&manifest).expect("a dictionary")
}

#[test]
fn a_word_is_called_what_it_is() {
    let dictionary = dictionary();
    for (word, english) in WORDS {
        assert_eq!(dictionary.in_english(word).unwrap().as_deref(), Some(*english), "{word}");
    }
}

#[test]
fn sentences_in_ten_languages_are_read_word_by_word() {
    let dictionary = dictionary();
    for (sentence, words) in SENTENCES {
        let english = dictionary.in_english(sentence).unwrap().unwrap_or_default();
        let told: Vec<&str> = english.split(' ').collect();
        assert!(words.iter().all(|word| told.contains(word)), "{sentence}: {english}");
    }
}

#[test]
fn english_with_names_and_slips_is_left_alone() {
    let dictionary = dictionary();
    for text in [
        "the old man and the sea",
        "tissue under the micrscope",
        "big rabitt on the gras",
        "Barack Obama speech",
        "how fast can I drive near a school?",
        "htwy cumrf",
        "pain",
        "gift",
    ] {
        assert_eq!(dictionary.in_english(text).unwrap(), None, "{text}");
    }
}
