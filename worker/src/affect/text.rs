//! Valence of what is said: how much nearer it is to pleasant sentences than to unpleasant ones, in a text model's space.

use heimdex_models::{ModelError, TextEmbedder};

/// Pleasant, unpleasant, and neither; short and everyday, so that models of any language know their like.
const PLEASANT: [&str; 6] = [
    "I am happy.",
    "This is wonderful.",
    "joy, love and delight",
    "good news, success",
    "a pleasant and beautiful moment",
    "I feel grateful and excited.",
];
const UNPLEASANT: [&str; 6] = [
    "I am sad.",
    "This is terrible.",
    "grief, hate and fear",
    "bad news, failure",
    "a painful and ugly moment",
    "I feel angry and afraid.",
];
const NEITHER: [&str; 6] = [
    "The meeting is on Monday.",
    "It is made of metal.",
    "There are three chapters in this book.",
    "Turn left and go straight on.",
    "a table and four chairs",
    "This is the second part.",
];
/// Of the distance between the anchors and the middle: what an everyday pleasant sentence reaches, more or less (`tests/valence.rs` says what some do).
const EVERYDAY: f32 = 0.47;

/// The axis from unpleasant to pleasant in a text model's space.
pub struct Valence {
    axis: Vec<f32>,
    middle: f32,
    scale: f32,
}

impl Valence {
    /// # Errors
    /// [`ModelError::Engine`].
    pub fn new(embedder: &TextEmbedder) -> Result<Self, ModelError> {
        let [good, bad, plain] = [embedder.embed(&PLEASANT)?, embedder.embed(&UNPLEASANT)?, embedder.embed(&NEITHER)?];
        let axis: Vec<f32> = (0..embedder.dimension()).map(|n| column_mean(&good, n) - column_mean(&bad, n)).collect();
        let along = |vectors: &[Vec<f32>]| vectors.iter().map(|v| dot(v, &axis)).sum::<f32>() / vectors.len() as f32;
        let (middle, scale) = (along(&plain), EVERYDAY * (along(&good) - along(&bad)) / 2.0);
        Ok(Self { axis, middle, scale: scale.max(1e-6) })
    }

    /// One number from −1 to 1 for each text.
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    pub fn of(&self, embedder: &TextEmbedder, texts: &[&str]) -> Result<Vec<f32>, ModelError> {
        let vectors = embedder.embed(texts)?;
        Ok(vectors.iter().map(|vector| ((dot(vector, &self.axis) - self.middle) / self.scale).tanh()).collect())
    }
}

fn column_mean(vectors: &[Vec<f32>], n: usize) -> f32 {
    vectors.iter().map(|vector| vector[n]).sum::<f32>() / vectors.len() as f32
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
