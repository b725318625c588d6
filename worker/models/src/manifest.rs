//! `heimdex-model.toml`: what a model folder says about itself.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::dictionary;
use crate::error::ModelError;
use crate::face::FaceSettings;
use crate::image::{self, ImageTable};
use crate::ocr::OcrSpec;
use crate::text::Pooling;

/// File name of the manifest inside a model's folder.
pub(crate) const MANIFEST: &str = "heimdex-model.toml";

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Speech to text.
    Asr,
    /// Voice activity.
    Vad,
    /// Text to vector.
    Text,
    /// Picture to vector.
    Image,
    /// Writing in a picture.
    Ocr,
    /// Faces in a picture, and whose they are.
    Face,
    /// What a face expresses.
    Expression,
    /// What words are called in English.
    Dictionary,
}

/// One file of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Relative to the model's folder; never leaves it.
    pub path: PathBuf,
    /// Lowercase hexadecimal.
    pub sha256: String,
    pub size_bytes: u64,
}

/// How text becomes tensors; only for [`Kind::Text`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Longest input in tokens, special tokens included; longer text is cut there.
    pub max_tokens: Option<usize>,
    /// Name of the graph's output that holds the L2-normalised sentence vectors, or what `pooling` makes them of.
    pub output: Option<String>,
    /// How that output becomes one vector a text, where the graph does not do so itself.
    #[serde(default)]
    pub pooling: Pooling,
    /// Put before a text that is indexed (E5 and BGE models want one).
    #[serde(default)]
    pub passage_prefix: String,
    /// Put before a text that is searched for.
    #[serde(default)]
    pub query_prefix: String,
    /// Cosine similarity below which two texts say different things.
    similarity_floor: Option<f32>,
    /// Cosine similarity at which a text says what a query asks for as probably as not.
    similarity_even: Option<f32>,
}

/// How far above its floor a model's similarity is as probably right as wrong, where its manifest says nothing: measured for
/// all-MiniLM-L6-v2 and for EfficientNet-Lite0 in its space (`scripts/eval`).
pub(crate) const EVEN_ABOVE_FLOOR: f32 = 0.25;

/// Of all-MiniLM-L6-v2, whose unrelated sentences are around 0.0 to 0.15.
const SIMILARITY_FLOOR: f32 = 0.18;

impl Preprocessing {
    /// Cosine similarity below which two texts say different things; 0.18 where the manifest says nothing.
    pub fn similarity_floor(&self) -> f32 {
        self.similarity_floor.unwrap_or(SIMILARITY_FLOOR)
    }

    /// Cosine similarity at which a text says what a query asks for as probably as not; 0.25 above the floor where the manifest says
    /// nothing, and 1 at most.
    pub fn similarity_even(&self) -> f32 {
        self.similarity_even.unwrap_or((self.similarity_floor() + EVEN_ABOVE_FLOOR).min(1.0))
    }

    /// What is wrong with the two similarities, if anything.
    fn impossible(&self) -> Option<String> {
        let (floor, even) = (self.similarity_floor(), self.similarity_even());
        if !(-1.0..=1.0).contains(&floor) {
            return Some(format!("`preprocessing.similarity_floor` is {floor}, not between -1 and 1"));
        }
        // Neither is true of a number that is none.
        let fits = even > floor && even <= 1.0;
        (!fits).then(|| format!("`preprocessing.similarity_even` is {even}, not between the floor and 1"))
    }
}

/// A model's description, read from its folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub kind: Kind,
    /// Stable name; equals the folder's name.
    pub id: String,
    /// Changes whenever the files' content does; recorded with each run.
    pub version: String,
    pub engine: String,
    /// Length of the vectors, for kinds that make vectors.
    pub dimension: Option<usize>,
    /// ISO 639-1 codes, or `*` for any.
    pub languages: Vec<String>,
    /// SPDX expression.
    pub licence: String,
    /// Where it comes from, for people.
    pub source: String,
    pub files: Vec<ModelFile>,
    #[serde(default)]
    pub preprocessing: Preprocessing,
    /// Only for [`Kind::Image`].
    pub image: Option<ImageTable>,
    /// Only for [`Kind::Ocr`].
    ocr: Option<OcrSpec>,
    /// Only for [`Kind::Face`].
    face: Option<FaceSettings>,
    /// The folder it was read from.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Manifest {
    /// Reads and checks the manifest in `folder`; the model's files are not touched.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] naming the file and what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join(MANIFEST);
        let wrong = |reason: String| ModelError::Manifest { path: path.clone(), reason };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let mut manifest: Self = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
        manifest.folder = folder.to_owned();
        if manifest.files.is_empty() {
            return Err(wrong("lists no files".to_owned()));
        }
        for file in &manifest.files {
            let inside = file.path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !inside {
                return Err(wrong(format!("file path `{}` leaves the folder", file.path.display())));
            }
        }
        if manifest.kind == Kind::Text && (manifest.dimension.is_none() || manifest.preprocessing.max_tokens.is_none())
        {
            return Err(wrong("a text model needs `dimension` and `preprocessing.max_tokens`".to_owned()));
        }
        Ok(manifest)
    }

    /// The listed file of this name.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] when it is not listed.
    pub fn file(&self, name: &str) -> Result<PathBuf, ModelError> {
        self.files.iter().find(|file| file.path == Path::new(name)).map(|file| self.folder.join(&file.path)).ok_or_else(
            || ModelError::Manifest {
                path: self.folder.join(MANIFEST),
                reason: format!("does not list the file {name}"),
            },
        )
    }

    /// The listed file that ends in `.suffix`.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] when there is none.
    pub fn file_with_suffix(&self, suffix: &str) -> Result<PathBuf, ModelError> {
        self.files
            .iter()
            .find(|file| file.path.extension().is_some_and(|found| found == suffix))
            .map(|file| self.folder.join(&file.path))
            .ok_or_else(|| ModelError::Manifest {
                path: self.folder.join(MANIFEST),
                reason: format!("lists no .{suffix} file"),
            })
    }

    /// The file at `path`, which a table of the manifest names, if it is listed (and so was verified).
    pub(crate) fn listed(&self, path: &Path) -> Result<PathBuf, ModelError> {
        let listed = self.files.iter().any(|file| file.path == path);
        if !listed {
            return Err(self.wrong(format!("names {}, which is not among its files", path.display())));
        }
        Ok(self.folder.join(path))
    }

    /// Something in the manifest makes no sense.
    pub(crate) fn wrong(&self, reason: impl Into<String>) -> ModelError {
        ModelError::Manifest { path: self.folder.join(MANIFEST), reason: reason.into() }
    }

    /// What a face model says of itself.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] when there is no such table or something impossible in it.
    pub fn face(&self) -> Result<&FaceSettings, ModelError> {
        let settings = self.face.as_ref().ok_or_else(|| self.wrong("a face model needs a table `[face]`"))?;
        if self.dimension.is_none_or(|dimension| dimension == 0) {
            return Err(self.wrong("a face model needs `dimension`"));
        }
        settings.check(self)?;
        Ok(settings)
    }

    /// What a model that reads writing says of itself.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] when there is no such table or something impossible in it.
    pub fn ocr(&self) -> Result<&OcrSpec, ModelError> {
        let spec = self.ocr.as_ref().ok_or_else(|| self.wrong("has no table [ocr]"))?;
        spec.check(self)?;
        Ok(spec)
    }

    /// The model is of this kind and says all that loading it needs; no file is opened. What the graphs themselves are is seen when they
    /// are loaded.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] naming the file and what is wrong with it.
    pub fn check(&self, kind: Kind) -> Result<(), ModelError> {
        self.expect_kind(kind)?;
        match kind {
            Kind::Asr => {
                ["model.bin", "config.json", "tokenizer.json"].iter().try_for_each(|name| self.file(name).map(drop))
            }
            Kind::Vad | Kind::Expression => self.file_with_suffix("onnx").map(drop),
            Kind::Text => {
                self.file_with_suffix("onnx")?;
                self.file("tokenizer.json")?;
                self.preprocessing.impossible().map_or(Ok(()), |reason| Err(self.wrong(reason)))
            }
            Kind::Image => image::check(self),
            Kind::Ocr => self.ocr().map(drop),
            Kind::Face => self.face().map(drop),
            Kind::Dictionary => self.file(dictionary::WORDS).map(drop),
        }
    }

    pub(crate) fn expect_kind(&self, kind: Kind) -> Result<(), ModelError> {
        if self.kind == kind {
            return Ok(());
        }
        Err(ModelError::Manifest {
            path: self.folder.join(MANIFEST),
            reason: format!("`{}` is of kind {:?} and was configured as {kind:?}", self.id, self.kind),
        })
    }
}
