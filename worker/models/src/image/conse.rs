//! ConSE: a classifier's likeliest classes weigh the texts of their classes (Norouzi et al., "Zero-Shot Learning by Convex Combination
//! of Semantic Embeddings", 2013), which puts pictures where a text model puts the words for them.
//!
//! Text vectors of one kind lie in a cone ("a photo of a …" is in all of them), so the mean of all classes is taken off classes and
//! queries alike (Mu, Viswanath, "All-but-the-Top", 2018, the first of its two steps). What is left of the combination's length then
//! says how much the classes agree.

use std::sync::Arc;

use super::background;
use super::table::{ConseTable, ImageTable};
use super::vision::Vision;
use super::{ImageEncoder, ImageOptions, ImageTexts, dimension, normalised, pooled};
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::picture::{OwnedPicture, Picture};
use crate::text::TextEmbedder;

/// The texts of a classifier's classes.
struct Classes {
    /// `[classes][dimension]`, flat; centred, rows of length 1.
    vectors: Vec<f32>,
    /// What was taken off.
    mean: Vec<f32>,
}

impl Classes {
    fn read(manifest: &Manifest, table: &ConseTable) -> Result<Self, ModelError> {
        let dimension = dimension(manifest)?;
        let path = manifest.listed(&table.classes)?;
        let mismatch = |found: String| ModelError::Mismatch {
            id: manifest.id.clone(),
            path: path.clone(),
            expected: format!("vectors of {dimension} finite numbers, 4 bytes each, for at least two classes"),
            found,
        };
        let bytes = std::fs::read(&path).map_err(|error| mismatch(error.to_string()))?;
        if !bytes.len().is_multiple_of(dimension * 4) || bytes.len() < dimension * 8 {
            return Err(mismatch(format!("{} bytes", bytes.len())));
        }
        let numbers: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if numbers.iter().any(|x| !x.is_finite()) {
            return Err(mismatch("a number that is not finite".to_owned()));
        }
        let mut mean = vec![0.0; dimension];
        let count = numbers.len() / dimension;
        for row in numbers.chunks_exact(dimension) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / count as f32);
        }
        let mut vectors = Vec::with_capacity(numbers.len());
        for row in numbers.chunks_exact(dimension) {
            vectors.extend(centred(row, &mean).ok_or_else(|| mismatch("classes that are all the same".to_owned()))?);
        }
        Ok(Self { vectors, mean })
    }

    fn count(&self) -> usize {
        self.vectors.len() / self.mean.len()
    }
}

fn centred(vector: &[f32], mean: &[f32]) -> Option<Vec<f32>> {
    normalised(vector.iter().zip(mean).map(|(x, mean)| x - mean).collect())
}

/// Pictures to combinations of classes.
struct Classifier {
    vision: Vision,
    classes: Classes,
    /// Taken off the logits.
    background: Vec<f32>,
    table: ConseTable,
}

impl Classifier {
    /// Of each picture the convex combination of its likeliest classes, as long as it comes out.
    fn combinations(&self, pictures: &[Picture<'_>]) -> Result<Vec<Vec<f32>>, ModelError> {
        let logits = self.vision.run(pictures)?;
        let (classes, views) = (self.classes.count(), self.vision.views());
        let of_picture = |logits: &[f32]| {
            let mut mean = vec![0.0; classes];
            for view in logits.chunks_exact(classes) {
                let scaled = view.iter().zip(&self.background).map(|(z, usual)| z / self.table.temperature - usual);
                let probabilities = softmax(&scaled.collect::<Vec<_>>(), 1.0);
                mean.iter_mut().zip(probabilities).for_each(|(mean, p)| *mean += p / views as f32);
            }
            self.combine(&mean)
        };
        Ok(logits.chunks_exact(classes * views).map(of_picture).collect())
    }

    fn combine(&self, probabilities: &[f32]) -> Vec<f32> {
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]).then(a.cmp(&b)));
        order.truncate(self.table.top);
        let dimension = self.classes.mean.len();
        let mut sum = vec![0.0; dimension];
        for class in order {
            let row = &self.classes.vectors[class * dimension..(class + 1) * dimension];
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += probabilities[class] * x);
        }
        sum
    }
}

pub(super) struct Pictures {
    id: String,
    classifier: Classifier,
    /// What cards with writing are taken for; of length 1.
    cards: Vec<f32>,
}

impl Pictures {
    pub(super) fn load(manifest: &Manifest, table: &ImageTable, options: ImageOptions) -> Result<Self, ModelError> {
        let conse = table.conse(manifest)?;
        let classes = Classes::read(manifest, conse)?;
        let what = format!("classes, as {} has", conse.classes.display());
        // A classifier is small: its threads wait for each other more than they compute. Two beside other work were four times slower
        // than one (EfficientNet-Lite0, two cores).
        let options = ImageOptions { threads: 1, ..options };
        let vision = Vision::load(manifest, &table.vision, options, classes.count(), &what)?;
        let background = background::measure(&vision, classes.count(), conse.temperature, conse.calibration)?;
        let classifier = Classifier { vision, classes, background, table: conse.clone() };
        let cards = background::cards();
        let shown: Vec<Picture<'_>> = cards.iter().map(OwnedPicture::as_picture).collect();
        let cards: Vec<_> = classifier.combinations(&shown)?.into_iter().filter_map(normalised).collect();
        let cards = pooled(cards.iter().map(Vec::as_slice));
        let cards = cards.ok_or_else(|| ModelError::onnx("the classifier says nothing of cards"))?;
        Ok(Self { id: manifest.id.clone(), classifier, cards })
    }

    /// The combination as a direction; `None` where there is nothing to see. What is short may still be right, as of a drawing; but the
    /// short ones of cards with writing are all alike, and say "monitor" whatever is written.
    fn seen(&self, combination: Vec<f32>) -> Option<Vec<f32>> {
        let table = &self.classifier.table;
        let length = combination.iter().map(|x| x * x).sum::<f32>().sqrt();
        let direction = normalised(combination).filter(|_| length >= table.least_length)?;
        let likeness: f32 = direction.iter().zip(&self.cards).map(|(x, y)| x * y).sum();
        (length >= table.least_length_of_card || likeness < table.card_likeness).then_some(direction)
    }
}

impl ImageEncoder for Pictures {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimension(&self) -> usize {
        self.classifier.classes.mean.len()
    }

    fn embed_pictures(&self, pictures: &[Picture<'_>]) -> Result<Vec<Option<Vec<f32>>>, ModelError> {
        let combinations = self.classifier.combinations(pictures)?;
        let seen = combinations.into_iter().zip(pictures).map(|(combination, &picture)| {
            Ok(if background::is_plain(picture)? { None } else { self.seen(combination) })
        });
        seen.collect()
    }
}

pub(super) fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let raised: Vec<f32> = logits.iter().map(|logit| ((logit - most) / temperature).exp()).collect();
    let sum: f32 = raised.iter().sum();
    raised.into_iter().map(|x| x / sum).collect()
}

pub(super) struct Texts {
    id: String,
    embedder: Arc<TextEmbedder>,
    classes: Classes,
}

impl Texts {
    pub(super) fn load(
        manifest: &Manifest,
        table: &ImageTable,
        text_model: Option<Arc<TextEmbedder>>,
    ) -> Result<Self, ModelError> {
        let named = table.text_model(manifest)?;
        let embedder =
            text_model.ok_or_else(|| manifest.wrong(format!("its text model `{named}` has to be loaded first")))?;
        if embedder.dimension() != dimension(manifest)? {
            return Err(manifest.wrong(format!(
                "vectors have {} numbers, those of its text model `{named}` {}",
                dimension(manifest)?,
                embedder.dimension()
            )));
        }
        let classes = Classes::read(manifest, table.conse(manifest)?)?;
        Ok(Self { id: manifest.id.clone(), embedder, classes })
    }
}

impl ImageTexts for Texts {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimension(&self) -> usize {
        self.classes.mean.len()
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let vectors = self.embedder.embed(texts)?;
        // A text in the very middle of all classes says nothing of any of them; as it is, it is as good as any other.
        Ok(vectors.into_iter().map(|vector| centred(&vector, &self.classes.mean).unwrap_or(vector)).collect())
    }

    fn concepts(&self) -> Vec<Vec<f32>> {
        self.classes.vectors.chunks_exact(self.classes.mean.len()).map(<[f32]>::to_vec).collect()
    }
}
