//! Pictures and the texts that describe them as vectors of one space.
//!
//! Two architectures, each in two halves that are loaded apart, so that a search by words never holds the network that looks at pictures:
//! `conse` ([`conse`], the offline default) and `two_tower` ([`two_tower`], CLIP and its kin). [`load_pictures`] and [`load_texts`]
//! read from the manifest which one it is.

mod background;
mod conse;
mod table;
mod two_tower;
mod vision;

use std::sync::Arc;

pub use table::{Architecture, ImageTable};

use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::picture::Picture;
use crate::text::TextEmbedder;

/// Views of pictures in one run of the network, where nothing else is said. On a CPU more are no faster and take more memory.
pub const DEFAULT_BATCH: usize = 2;

/// How a model may use the machine.
#[derive(Clone, Copy, Debug)]
pub struct ImageOptions {
    /// CPU threads of one inference.
    pub threads: usize,
    /// Most views in one run, which bounds the memory.
    pub batch: usize,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self { threads: 1, batch: DEFAULT_BATCH }
    }
}

/// Pictures to vectors. Calls take turns.
pub trait ImageEncoder: Send + Sync {
    /// The manifest's.
    fn id(&self) -> &str;

    /// Length of the vectors.
    fn dimension(&self) -> usize;

    /// For each picture, in their order, a vector of [`Self::dimension`] and L2 norm 1, or `None` where the model sees nothing in it.
    /// Its company does not change a picture's vector beyond rounding.
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    fn embed_pictures(&self, pictures: &[Picture<'_>]) -> Result<Vec<Option<Vec<f32>>>, ModelError>;
}

/// Texts to vectors in the space of an [`ImageEncoder`]'s.
pub trait ImageTexts: Send + Sync {
    /// That of the image model.
    fn id(&self) -> &str;

    /// Length of the vectors.
    fn dimension(&self) -> usize;

    /// In the order of the texts, vectors of [`Self::dimension`] and L2 norm 1.
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// Vectors of length 1 of what pictures can be, where the model names it: to tell how near is near.
    fn concepts(&self) -> Vec<Vec<f32>> {
        Vec::new()
    }
}

/// The half that looks at pictures. One picture is embedded to see that all is as the manifest says.
///
/// # Errors
/// [`ModelError::Manifest`], [`ModelError::Mismatch`] or [`ModelError::Runtime`], naming the file, what was expected and found.
pub fn load_pictures(manifest: &Manifest, options: ImageOptions) -> Result<Box<dyn ImageEncoder>, ModelError> {
    let table = table(manifest)?;
    Ok(match table.architecture {
        Architecture::Conse => Box::new(conse::Pictures::load(manifest, table, options)?),
        Architecture::TwoTower => Box::new(two_tower::Pictures::load(manifest, table, options)?),
    })
}

/// The half that reads. `text_model` is the text model that [`ImageTable::needs_text_model`] names; models that need none ignore it.
///
/// # Errors
/// As [`load_pictures`]; [`ModelError::Manifest`] when the text model is lacking or not the one it takes.
pub fn load_texts(
    manifest: &Manifest,
    threads: usize,
    text_model: Option<Arc<TextEmbedder>>,
) -> Result<Box<dyn ImageTexts>, ModelError> {
    let table = table(manifest)?;
    Ok(match table.architecture {
        Architecture::Conse => Box::new(conse::Texts::load(manifest, table, text_model)?),
        Architecture::TwoTower => Box::new(two_tower::Texts::load(manifest, table, threads)?),
    })
}

/// The manifest's `[image]`.
///
/// # Errors
/// [`ModelError::Manifest`] when the model is of another kind or has none.
pub fn table(manifest: &Manifest) -> Result<&ImageTable, ModelError> {
    manifest.expect_kind(Kind::Image)?;
    manifest.image.as_ref().ok_or_else(|| manifest.wrong("an image model needs a table `image`".to_owned()))
}

/// The manifest says all that loading either half needs.
pub(crate) fn check(manifest: &Manifest) -> Result<(), ModelError> {
    dimension(manifest)?;
    table(manifest)?.check(manifest)
}

fn dimension(manifest: &Manifest) -> Result<usize, ModelError> {
    let given = manifest.dimension.filter(|dimension| *dimension > 0);
    given.ok_or_else(|| manifest.wrong("an image model needs a `dimension`".to_owned()))
}

/// Makes the vector one of length 1; `None` if it has no length to speak of.
fn normalised(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if !length.is_finite() || length < 1e-6 {
        return None;
    }
    vector.iter_mut().for_each(|x| *x /= length);
    Some(vector)
}

/// The mean of vectors of length 1, of length 1 again: what a scene's frames have in common. `None` of no vectors, or of
/// vectors that cancel each other out.
pub fn pooled<'a>(vectors: impl IntoIterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut sum: Vec<f32> = Vec::new();
    for vector in vectors {
        if sum.is_empty() {
            sum = vec![0.0; vector.len()];
        }
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    normalised(sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit() -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(-1.0_f32..1.0, 5).prop_filter_map("no length", normalised)
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    proptest! {
        #[test]
        fn what_is_pooled_has_length_one_and_no_order(mut vectors in proptest::collection::vec(unit(), 1..9)) {
            let Some(one) = pooled(vectors.iter().map(Vec::as_slice)) else { return Ok(()) };
            prop_assert!((cosine(&one, &one) - 1.0).abs() < 1e-4);
            vectors.reverse();
            let other = pooled(vectors.iter().map(Vec::as_slice)).unwrap();
            prop_assert!(cosine(&one, &other) > 0.99);
        }
    }

    #[test]
    fn nothing_pools_to_nothing() {
        assert_eq!(pooled([]), None);
        assert_eq!(pooled([[1.0, 0.0].as_slice(), [-1.0, 0.0].as_slice()]), None);
        assert_eq!(pooled([[0.6, 0.8].as_slice()]), Some(vec![0.6, 0.8]));
    }
}
