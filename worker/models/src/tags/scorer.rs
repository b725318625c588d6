//! How well tags fit pictures.
//!
//! The cosine of a picture with a prompt says little by itself: some prompts are near to everything. So each tag's cosine is measured in
//! standard deviations from what that tag has with pictures in general (its background), and a logistic curve, fitted to pictures whose
//! tags are known, makes 0 to 1 of it. A tag that is a kind of another counts towards it, so that a picture that might be a cow, a
//! monkey or a whale is surely an animal.

use super::vocabulary::Vocabulary;
use crate::error::ModelError;

/// What differs between image encoders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Ways to put a prompt, `{}` standing for it; their vectors are averaged (prompt ensembling, Radford et al. 2021, section 3.1.4).
    pub templates: &'static [&'static str],
    /// Standard deviations above the background at which a tag is as likely right as wrong.
    pub centre: f32,
    /// Standard deviations over which that changes.
    pub width: f32,
    /// Scores below are not given.
    pub least: f32,
}

impl Calibration {
    /// For encoders that put pictures among the vectors of class names. Fitted to EfficientNet-Lite0 with all-MiniLM-L6-v2 by the
    /// shots of the sample video (see `docs/affect.md`).
    pub const CONSE: Self = Self { templates: &["{}"], centre: 4.9, width: 0.9, least: 0.45 };
    /// For encoders trained on pairs of pictures and texts. The background is the vocabulary itself, of which a picture shows next to nothing;
    /// of some two hundred normal values the largest is about 2.7.
    pub const TWO_TOWER: Self = Self {
        templates: &["{}", "a photo of {}", "a video frame that shows {}"],
        centre: 3.2,
        width: 0.4,
        least: 0.45,
    };
}

struct Entry {
    id: String,
    parent: Option<usize>,
    /// Mean of the prompts' vectors, of length 1; none for tags that are not asked for.
    prompt: Option<Vec<f32>>,
    /// Mean and standard deviation of the cosine with the background.
    background: (f32, f32),
}

/// A vocabulary in the space of one image encoder.
pub struct TagScorer {
    entries: Vec<Entry>,
    calibration: Calibration,
    /// Whether every entry has a background of its own.
    own_background: bool,
}

impl TagScorer {
    /// Every text that has to be put through the encoder's text side, in the order that [`Self::new`] wants the vectors in.
    pub fn texts(vocabulary: &Vocabulary, calibration: &Calibration) -> Vec<String> {
        let prompts = vocabulary.tags.iter().flat_map(|tag| &tag.prompts);
        prompts.flat_map(|prompt| calibration.templates.iter().map(|way| way.replace("{}", prompt))).collect()
    }

    /// `vectors` are those of [`Self::texts`], `background` some hundred vectors of what pictures can be (class names for `conse`);
    /// without them the vocabulary itself is the background. Vectors of any length; they are compared by direction.
    ///
    /// # Errors
    /// [`ModelError::Engine`] when there are more or fewer vectors than texts, or they have different dimensions.
    pub fn new(
        vocabulary: &Vocabulary,
        vectors: &[Vec<f32>],
        background: &[Vec<f32>],
        calibration: Calibration,
    ) -> Result<Self, ModelError> {
        let wanted = Self::texts(vocabulary, &calibration).len();
        let dimension = vectors.iter().chain(background).next().map_or(0, Vec::len);
        if vectors.len() != wanted || vectors.iter().chain(background).any(|vector| vector.len() != dimension) {
            let reason = format!("{} vectors for {wanted} prompts, or of different dimensions", vectors.len());
            return Err(ModelError::Engine { engine: "tags", reason });
        }
        let background: Vec<_> = background.iter().map(|vector| unit(vector.clone())).collect();
        let mut rest = vectors;
        let entries = vocabulary.tags.iter().map(|tag| {
            let (own, others) = rest.split_at(tag.prompts.len() * calibration.templates.len());
            rest = others;
            let prompt = (!own.is_empty()).then(|| mean(own));
            let near: Vec<f32> =
                prompt.iter().flat_map(|prompt| background.iter().map(move |other| dot(prompt, other))).collect();
            Entry {
                id: tag.id.clone(),
                parent: tag.parent.as_ref().and_then(|id| vocabulary.tags.iter().position(|tag| &tag.id == id)),
                prompt,
                background: spread(&near),
            }
        });
        Ok(Self { entries: entries.collect(), calibration, own_background: !background.is_empty() })
    }

    /// Tags of a scene by the vectors of its pictures, the surest first: id and score, 0 to 1. A score is the mean over the pictures, so that
    /// what is seen throughout comes first; `blank` is how many more there are, in which the encoder saw nothing. Pictures of another dimension
    /// are left out.
    pub fn tags(&self, pictures: &[&[f32]], blank: usize) -> Vec<(&str, f32)> {
        let mut sums = vec![0.0_f32; self.entries.len()];
        let mut count = blank as f32;
        for scores in pictures.iter().filter_map(|picture| self.scores(picture)) {
            for (sum, score) in sums.iter_mut().zip(scores) {
                *sum += score;
            }
            count += 1.0;
        }
        let scored = self.entries.iter().zip(&sums).map(|(entry, sum)| (entry.id.as_str(), sum / f32::max(count, 1.0)));
        let mut tags: Vec<_> = scored.filter(|(_, score)| *score >= self.calibration.least).collect();
        tags.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        tags
    }

    fn prompts(&self) -> impl Iterator<Item = &Vec<f32>> {
        self.entries.iter().filter_map(|entry| entry.prompt.as_ref())
    }

    /// One score a tag; `None` for a vector that cannot be compared.
    fn scores(&self, picture: &[f32]) -> Option<Vec<f32>> {
        let picture = unit(picture.to_vec());
        // Nothing to compare with, or not by these prompts.
        if !dot(&picture, &picture).is_normal() || self.prompts().any(|prompt| prompt.len() != picture.len()) {
            return None;
        }
        let cosines: Vec<Option<f32>> =
            self.entries.iter().map(|entry| entry.prompt.as_ref().map(|prompt| dot(prompt, &picture))).collect();
        let shared = spread(&cosines.iter().flatten().copied().collect::<Vec<_>>());
        let own = |entry: &Entry, cosine: f32| {
            let (mean, deviation) = if self.own_background { entry.background } else { shared };
            let above = (cosine - mean) / deviation.max(1e-6);
            1.0 / (1.0 + (-(above - self.calibration.centre) / self.calibration.width).exp())
        };
        let mut scores: Vec<f32> = self
            .entries
            .iter()
            .zip(&cosines)
            .map(|(entry, cosine)| cosine.map_or(0.0, |cosine| own(entry, cosine)))
            .collect();
        // Kinds count towards what they are a kind of: it is not there only if none of them is (noisy or).
        let kinds: Vec<(usize, f32)> =
            self.entries.iter().zip(&scores).filter_map(|(entry, score)| Some((entry.parent?, *score))).collect();
        for (parent, score) in kinds {
            scores[parent] = 1.0 - (1.0 - scores[parent]) * (1.0 - score);
        }
        Some(scores)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}

/// The direction of the mean.
fn mean(vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    for vector in vectors {
        for (sum, x) in sum.iter_mut().zip(unit(vector.clone())) {
            *sum += x;
        }
    }
    unit(sum)
}

/// Mean and standard deviation.
fn spread(values: &[f32]) -> (f32, f32) {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const TINY: Calibration = Calibration { templates: &["{}", "a {}"], centre: 1.0, width: 0.3, least: 0.3 };

    fn vocabulary() -> Vocabulary {
        let text = "[tags]
            animal = { prompts = [], en = \"animal\" }
            cat = { prompts = [\"cat\"], kind_of = \"animal\", en = \"cat\" }
            dog = { prompts = [\"dog\"], kind_of = \"animal\", en = \"dog\" }
            car = { prompts = [\"car\"], en = \"car\" }
            text = { prompts = [], en = \"text\" }";
        Vocabulary::parse(text, Path::new("tags.toml")).unwrap()
    }

    /// A space in which the first three axes are car, cat and dog.
    fn scorer(background: &[Vec<f32>]) -> TagScorer {
        let texts = TagScorer::texts(&vocabulary(), &TINY);
        assert_eq!(texts, ["car", "a car", "cat", "a cat", "dog", "a dog"]);
        let vectors: Vec<Vec<f32>> = texts
            .iter()
            .map(|text| ["car", "cat", "dog"].map(|axis| if text.ends_with(axis) { 2.0 } else { 0.0 }).to_vec())
            .collect();
        TagScorer::new(&vocabulary(), &vectors, background, TINY).unwrap()
    }

    const PLAIN: [[f32; 3]; 4] = [[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 1.0]];

    #[test]
    fn a_picture_gets_its_tag_and_what_that_is_a_kind_of() {
        let background = PLAIN.map(|v| v.to_vec());
        for scorer in [scorer(&background), scorer(&[])] {
            let cat = scorer.tags(&[&[0.1, 5.0, 0.1]], 0);
            assert_eq!(cat.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), ["animal", "cat"]);
            let car = scorer.tags(&[&[1.0, 0.0, 0.0]], 0);
            assert_eq!(car.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), ["car"]);
        }
    }

    #[test]
    fn what_might_be_two_kinds_is_surely_the_general_thing() {
        let scorer = scorer(&PLAIN.map(|v| v.to_vec()));
        let unsure = scorer.tags(&[&[0.0, 1.0, 1.0]], 0);
        assert_eq!(unsure[0].0, "animal");
        assert!(unsure.iter().skip(1).all(|(_, score)| *score < unsure[0].1));
    }

    #[test]
    fn what_is_seen_in_one_of_many_pictures_counts_for_less() {
        let scorer = scorer(&PLAIN.map(|v| v.to_vec()));
        let (cat, car): ([f32; 3], [f32; 3]) = ([0.0, 1.0, 0.0], [1.0, 0.0, 0.0]);
        let tags = scorer.tags(&[&cat, &cat, &cat, &car], 0);
        assert!(tags.iter().any(|(tag, _)| *tag == "cat") && !tags.iter().any(|(tag, _)| *tag == "car"), "{tags:?}");
    }

    #[test]
    fn no_pictures_blank_ones_and_those_of_another_encoder_get_no_tags() {
        let scorer = scorer(&PLAIN.map(|v| v.to_vec()));
        assert_eq!(scorer.tags(&[], 0), []);
        assert_eq!(scorer.tags(&[&[0.0, 0.0, 0.0]], 0), []);
        assert_eq!(scorer.tags(&[&[1.0, 0.0]], 0), []);
    }

    #[test]
    fn a_vocabulary_that_asks_no_encoder_gives_no_tags() {
        let text = "[tags]\ndark = { prompts = [], en = \"dark\" }";
        let vocabulary = Vocabulary::parse(text, Path::new("tags.toml")).unwrap();
        let scorer = TagScorer::new(&vocabulary, &[], &PLAIN.map(|v| v.to_vec()), TINY).unwrap();
        assert_eq!(scorer.tags(&[&[1.0, 0.0, 0.0]], 0), []);
    }

    #[test]
    fn too_few_vectors_or_mixed_dimensions_are_refused() {
        let make = |vectors: &[Vec<f32>], background: &[Vec<f32>]| {
            TagScorer::new(&vocabulary(), vectors, background, TINY).is_err()
        };
        let plain = |count: usize| vec![vec![1.0_f32, 0.0]; count];
        assert!(make(&[], &[]));
        assert!(make(&plain(5), &[]));
        assert!(make(&[plain(5), vec![vec![1.0]]].concat(), &[]));
        assert!(make(&plain(6), &[vec![1.0]]));
    }

    proptest! {
        #[test]
        fn scores_are_between_0_and_1_and_fall(pictures in prop::collection::vec(prop::array::uniform3(-2.0_f32..2.0), 0..6), own: bool) {
            let background = [[1.0, 0.5, 0.0], [0.0, 1.0, 0.3], [0.2, 0.0, 1.0]].map(|v| v.to_vec());
            let scorer = scorer(if own { &background[..0] } else { &background });
            let pictures: Vec<&[f32]> = pictures.iter().map(|p| p.as_slice()).collect();
            let tags = scorer.tags(&pictures, 0);
            prop_assert!(tags.iter().all(|(_, score)| (TINY.least..=1.0).contains(score)));
            prop_assert!(tags.is_sorted_by(|a, b| a.1 >= b.1));
        }
    }
}
