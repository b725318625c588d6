//! The table `image` of a manifest: what an image model is made of.

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::ModelError;
use crate::manifest::{EVEN_ABOVE_FLOOR, Manifest};
use crate::picture::Filter;

/// How pictures and texts come into one space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// A classifier, and the texts of its classes in a text model's space.
    Conse,
    /// One network for pictures and one for texts, trained together.
    TwoTower,
}

/// What all image models say; the rest belongs to one architecture.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageTable {
    pub architecture: Architecture,
    pub vision: VisionTable,
    /// Cosine similarity of a text and a picture below which the picture shows something else.
    pub similarity_floor: f32,
    /// That at which the picture shows it as probably as not; see [`ImageTable::similarity_even`].
    similarity_even: Option<f32>,
    /// Cosine similarity of two pictures below which they show different things.
    pub likeness_floor: f32,
    /// `conse`: the id of the text model whose vectors the classes have.
    text_model: Option<String>,
    conse: Option<ConseTable>,
    /// `two_tower`
    text: Option<TextTable>,
}

/// The network that looks at pictures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisionTable {
    pub graph: PathBuf,
    /// Name of the input, float32 [batch, 3, size, size], RGB.
    pub input: String,
    /// Name of the output, float32 [batch, dimension] or, of a classifier, [batch, classes].
    pub output: String,
    /// Side of the input, pixels.
    pub size: usize,
    /// A value is `(byte / 255 - mean) / std`.
    pub mean: [f32; 3],
    pub std: [f32; 3],
    #[serde(default)]
    pub filter: Filter,
    /// What of a picture is looked at; of several views the mean counts.
    pub views: Vec<View>,
}

/// A square of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The largest square in its middle.
    Centre,
    /// All of it, whatever becomes of the ratio of its sides.
    Whole,
}

/// Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings" (2013).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConseTable {
    /// Little-endian float32 [classes, dimension], rows of length 1, in the order of the classifier's outputs.
    pub classes: PathBuf,
    /// How many of the likeliest classes count (the paper's T).
    pub top: usize,
    /// The logits are divided by it: above 1, less likely classes count for more.
    pub temperature: f32,
    /// How much of what the classifier says of empty pictures is taken off, 0 to 1 (see `background`).
    pub calibration: f32,
    /// Length of the combination, 0 to 1, below which the classifier sees nothing: the classes it is torn between have nothing to do
    /// with each other, as with noise. Of plain pictures it is not asked.
    pub least_length: f32,
    /// The same for pictures that are taken for cards with writing (see `background`), ...
    pub least_length_of_card: f32,
    /// ... which are those whose combination has this cosine similarity, or a greater one, to those of cards.
    pub card_likeness: f32,
}

/// The network that reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextTable {
    pub graph: PathBuf,
    pub tokenizer: PathBuf,
    /// Name of the input of token ids, int64 [batch, tokens].
    pub ids: String,
    /// Name of the input that is 1 for tokens and 0 for padding, where the graph has one.
    pub mask: Option<String>,
    /// Name of the output, float32 [batch, dimension].
    pub output: String,
    /// Longest input; longer text is cut there.
    pub max_tokens: usize,
    /// Every input is padded to `max_tokens`, since the model was trained so (SigLIP); else to the longest of its batch.
    #[serde(default)]
    pub pad_to_max: bool,
    #[serde(default)]
    pub pad_id: u32,
    /// Text is lowercased first (SigLIP 2's tokenizer leaves that to its caller).
    #[serde(default)]
    pub lowercase: bool,
    /// Put around a text; `{}` stands for it.
    pub template: Option<String>,
}

impl VisionTable {
    /// Nothing in it is impossible, and the manifest lists its graph, whose path this is.
    pub(super) fn check(&self, manifest: &Manifest) -> Result<PathBuf, ModelError> {
        let positive = self.std.iter().all(|std| *std > 0.0);
        if self.size == 0 || self.views.is_empty() || !positive {
            return Err(
                manifest.wrong("`image.vision` needs a `size` and a `std` above 0 and at least one view".to_owned())
            );
        }
        manifest.listed(&self.graph)
    }
}

impl ImageTable {
    /// It has what its architecture needs, nothing in it is impossible, and the manifest lists its files.
    pub(super) fn check(&self, manifest: &Manifest) -> Result<(), ModelError> {
        self.vision.check(manifest)?;
        for (name, floor) in [("similarity_floor", self.similarity_floor), ("likeness_floor", self.likeness_floor)] {
            if !(-1.0..=1.0).contains(&floor) {
                return Err(manifest.wrong(format!("`image.{name}` is {floor}, not between -1 and 1")));
            }
        }
        // Neither is true of a number that is none.
        if !(self.similarity_even() > self.similarity_floor && self.similarity_even() <= 1.0) {
            let even = self.similarity_even();
            return Err(manifest.wrong(format!("`image.similarity_even` is {even}, not between the floor and 1")));
        }
        match self.architecture {
            Architecture::Conse => {
                self.text_model(manifest)?;
                manifest.listed(&self.conse(manifest)?.classes)?;
            }
            Architecture::TwoTower => {
                let text = self.text(manifest)?;
                manifest.listed(&text.graph)?;
                manifest.listed(&text.tokenizer)?;
            }
        }
        Ok(())
    }

    /// Cosine similarity of a text and a picture at which the picture shows it as probably as not; 0.25 above the floor where the
    /// manifest says nothing, and 1 at most.
    pub fn similarity_even(&self) -> f32 {
        self.similarity_even.unwrap_or((self.similarity_floor + EVEN_ABOVE_FLOOR).min(1.0))
    }

    /// The text model without which its texts cannot be loaded.
    pub fn needs_text_model(&self) -> Option<&str> {
        self.text_model.as_deref().filter(|_| self.architecture == Architecture::Conse)
    }

    pub(super) fn text_model(&self, manifest: &Manifest) -> Result<&str, ModelError> {
        self.text_model.as_deref().ok_or_else(|| lacking(manifest, "text_model"))
    }

    pub(super) fn conse(&self, manifest: &Manifest) -> Result<&ConseTable, ModelError> {
        let table = self.conse.as_ref().ok_or_else(|| lacking(manifest, "conse"))?;
        // Neither is true of a number that is none.
        let positive = table.temperature > 0.0;
        if table.top == 0 || !positive || !(0.0..=1.0).contains(&table.calibration) {
            let needs = "a `top` of 1 or more, a `temperature` above 0 and a `calibration` from 0 to 1";
            return Err(manifest.wrong(format!("`image.conse` needs {needs}")));
        }
        Ok(table)
    }

    pub(super) fn text(&self, manifest: &Manifest) -> Result<&TextTable, ModelError> {
        let table = self.text.as_ref().ok_or_else(|| lacking(manifest, "text"))?;
        if table.max_tokens < 2 || table.template.as_ref().is_some_and(|template| !template.contains("{}")) {
            return Err(
                manifest.wrong("`image.text` needs `max_tokens` of 2 or more and `{}` in its `template`".to_owned())
            );
        }
        Ok(table)
    }
}

fn lacking(manifest: &Manifest, what: &str) -> ModelError {
    manifest.wrong(format!("an image model of this architecture needs `image.{what}`"))
}
