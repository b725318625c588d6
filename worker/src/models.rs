//! The models this worker uses: checked at start, loaded by the first stage that needs them, shared by all.

use std::sync::Arc;

use heimdex_db::Stage;
use heimdex_models::{
    AsrOptions, ExpressionClassifier, FaceAnalyzer, ImageEncoder, ImageOptions, Kind, Manifest, ModelError, Registry,
    TextEmbedder, TextReader, Vad, Whisper,
    image::{self, Architecture},
    tags::{Calibration, TagScorer, Vocabulary, VocabularyError},
};
use tokio::sync::OnceCell;

use crate::config::ModelsConfig;

/// Why a model could not be had, or did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ModelFailure {
    #[error("{variable}: {source}")]
    Configured { variable: &'static str, source: ModelError },
    #[error("HEIMDEX_TAGS_FILE: {0}")]
    Vocabulary(#[from] VocabularyError),
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Model(ModelError),
    #[error("loading a model ended unexpectedly")]
    Panicked,
}

impl From<ModelError> for ModelFailure {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Cancelled => Self::Cancelled,
            error => Self::Model(error),
        }
    }
}

/// Whichever encoder of pictures is configured.
pub type Pictures = Box<dyn ImageEncoder>;

/// A model that is on disk, and perhaps in memory.
pub struct Model<T> {
    manifest: Manifest,
    loaded: OnceCell<Arc<T>>,
}

impl<T: Send + Sync + 'static> Model<T> {
    /// Its id, as vectors carry it.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// Id and version, as runs record it.
    pub fn label(&self) -> String {
        format!("{}@{}", self.manifest.id, self.manifest.version)
    }

    async fn get(
        &self,
        load: impl FnOnce(&Manifest, usize) -> Result<T, ModelError> + Send + 'static,
        threads: usize,
    ) -> Result<Arc<T>, ModelFailure> {
        let loading = || async {
            let manifest = self.manifest.clone();
            let loaded = tokio::task::spawn_blocking(move || load(&manifest, threads)).await;
            tracing::info!(model = self.manifest.id, "loaded");
            Ok::<_, ModelFailure>(Arc::new(loaded.map_err(|_| ModelFailure::Panicked)??))
        };
        self.loaded.get_or_try_init(loading).await.cloned()
    }
}

/// One of each kind; `None` where the kind is switched off.
pub struct Models {
    pub asr: Option<Model<Whisper>>,
    pub vad: Option<Model<Vad>>,
    pub text: Option<Model<TextEmbedder>>,
    pub image: Option<Model<Pictures>>,
    pub ocr: Option<Model<TextReader>>,
    /// What scenes are tagged with; `None` where this worker does not tag.
    pub vocabulary: Option<Arc<Vocabulary>>,
    /// The vocabulary in the image model's space.
    scorer: OnceCell<Arc<TagScorer>>,
    pub face: Option<Model<FaceAnalyzer>>,
    pub expression: Option<Model<ExpressionClassifier>>,
    threads: usize,
    image_batch: usize,
}

impl Models {
    /// Checks the files and the manifest of every model that the served stages will use; `faces` says whether this deployment looks for
    /// any. Every worker does tasks, and photos of people are checked by one, so that the face model belongs to all.
    ///
    /// # Errors
    /// Names the variable, the file and the command that mends it.
    pub fn open(config: &ModelsConfig, faces: bool, stages: &[Stage]) -> Result<Self, ModelFailure> {
        let hears = stages.contains(&Stage::AsrFast) && config.asr.is_some();
        let looks = stages.contains(&Stage::VisionSampleFrames);
        let tags = stages.contains(&Stage::VisionAffectTags);
        let reads = tags || stages.contains(&Stage::EmbedText);
        let sees = tags || stages.contains(&Stage::VisionEmbedFrames);
        let vocabulary = tags.then(|| Vocabulary::load(config.tags_file.as_deref())).transpose()?;
        let recognises = faces && stages.contains(&Stage::FacesEnrollMatch);
        let image = find(config, "HEIMDEX_IMAGE_MODEL", Kind::Image, config.image.as_deref().filter(|_| sees))?;
        if let Some(model) = image.as_ref().filter(|_| tags) {
            check_texts(config, model)?;
        }
        Ok(Self {
            image,
            asr: find(config, "HEIMDEX_ASR_MODEL", Kind::Asr, config.asr.as_deref().filter(|_| hears))?,
            vad: find(config, "HEIMDEX_VAD_MODEL", Kind::Vad, config.vad.as_deref().filter(|_| hears))?,
            ocr: find(config, "HEIMDEX_OCR_MODEL", Kind::Ocr, config.ocr.as_deref().filter(|_| looks))?,
            text: find(config, "HEIMDEX_TEXT_MODEL", Kind::Text, config.text.as_deref().filter(|_| reads))?,
            vocabulary: vocabulary.map(Arc::new),
            scorer: OnceCell::new(),
            face: find(config, "HEIMDEX_FACE_MODEL", Kind::Face, config.face.as_deref().filter(|_| faces))?,
            expression: find(
                config,
                "HEIMDEX_EXPRESSION_MODEL",
                Kind::Expression,
                config.expression.as_deref().filter(|_| recognises && config.face.is_some()),
            )?,
            threads: config.threads,
            image_batch: config.image_batch,
        })
    }

    /// Loads what is small, so that an engine that cannot run at all stops the start and not the first video.
    pub async fn try_engines(&self) -> Result<(), ModelFailure> {
        let wrong = |variable| {
            move |error| match error {
                ModelFailure::Model(source) => ModelFailure::Configured { variable, source },
                error => error,
            }
        };
        if self.vad.is_some() {
            self.vad().await.map_err(wrong("HEIMDEX_VAD_MODEL"))?;
        } else if self.text.is_some() {
            self.text().await.map_err(wrong("HEIMDEX_TEXT_MODEL"))?;
        } else if self.image.is_some() {
            self.image().await.map_err(wrong("HEIMDEX_IMAGE_MODEL"))?;
        }
        Ok(())
    }

    /// The image encoder's id, and the vocabulary in its space; `None` without an image encoder.
    pub async fn tag_scorer(&self) -> Result<Option<(String, Arc<TagScorer>)>, ModelFailure> {
        let (Some(model), Some(vocabulary)) = (&self.image, &self.vocabulary) else { return Ok(None) };
        let making = || async {
            let (manifest, vocabulary, threads) = (model.manifest.clone(), Arc::clone(vocabulary), self.threads);
            let text = match &self.text {
                Some(text) => self.text().await?.map(|embedder| (text.id().to_owned(), embedder)),
                None => None,
            };
            let made = tokio::task::spawn_blocking(move || tag_scorer(&manifest, &vocabulary, text, threads)).await;
            Ok::<_, ModelFailure>(Arc::new(made.map_err(|_| ModelFailure::Panicked)??))
        };
        let scorer = self.scorer.get_or_try_init(making).await?;
        Ok(Some((model.id().to_owned(), Arc::clone(scorer))))
    }

    pub async fn asr(&self) -> Result<Option<Arc<Whisper>>, ModelFailure> {
        let load = |manifest: &Manifest, threads| {
            Whisper::load(manifest, &AsrOptions { threads, workers: threads, ..AsrOptions::default() })
        };
        in_use(&self.asr, load, self.threads).await
    }

    pub async fn vad(&self) -> Result<Option<Arc<Vad>>, ModelFailure> {
        in_use(&self.vad, |manifest, _| Vad::load(manifest), self.threads).await
    }

    pub async fn text(&self) -> Result<Option<Arc<TextEmbedder>>, ModelFailure> {
        in_use(&self.text, TextEmbedder::load, self.threads).await
    }

    /// The half of the image model that looks at pictures.
    pub async fn image(&self) -> Result<Option<Arc<Pictures>>, ModelFailure> {
        let batch = self.image_batch;
        let load = move |manifest: &Manifest, threads| image::load_pictures(manifest, ImageOptions { threads, batch });
        in_use(&self.image, load, self.threads).await
    }

    pub async fn ocr(&self) -> Result<Option<Arc<TextReader>>, ModelFailure> {
        in_use(&self.ocr, TextReader::load, self.threads).await
    }

    pub async fn face(&self) -> Result<Option<Arc<FaceAnalyzer>>, ModelFailure> {
        in_use(&self.face, FaceAnalyzer::load, self.threads).await
    }

    pub async fn expression(&self) -> Result<Option<Arc<ExpressionClassifier>>, ModelFailure> {
        // It is small, and each picture is looked at on a thread of its own.
        in_use(&self.expression, ExpressionClassifier::load, 1).await
    }
}

/// Asks the texts' half of the image model for the prompts of the vocabulary, and lets it go again. `text` is the text model in use, with
/// its id: a `conse` model mostly builds on the same.
fn tag_scorer(
    manifest: &Manifest,
    vocabulary: &Vocabulary,
    text: Option<(String, Arc<TextEmbedder>)>,
    threads: usize,
) -> Result<TagScorer, ModelError> {
    let folder = manifest.folder.parent().map(ToOwned::to_owned).unwrap_or_default();
    let embedder = match (image::table(manifest)?.needs_text_model(), text) {
        (Some(wanted), Some((in_use, embedder))) if in_use == wanted => Some(embedder),
        (Some(wanted), _) => Some(Arc::new(TextEmbedder::load(&Registry::open(folder)?.get(wanted)?, threads)?)),
        (None, _) => None,
    };
    let texts = image::load_texts(manifest, threads, embedder)?;
    let calibration = match image::table(manifest)?.architecture {
        Architecture::Conse => Calibration::CONSE,
        Architecture::TwoTower => Calibration::TWO_TOWER,
    };
    let prompts = TagScorer::texts(vocabulary, &calibration);
    let prompts: Vec<_> = prompts.iter().map(String::as_str).collect();
    TagScorer::new(vocabulary, &texts.embed_texts(&prompts)?, &texts.concepts(), calibration)
}

async fn in_use<T: Send + Sync + 'static>(
    model: &Option<Model<T>>,
    load: impl FnOnce(&Manifest, usize) -> Result<T, ModelError> + Send + 'static,
    threads: usize,
) -> Result<Option<Arc<T>>, ModelFailure> {
    match model {
        Some(model) => model.get(load, threads).await.map(Some),
        None => Ok(None),
    }
}

/// The model of this id, its files verified and its manifest fit for what it is configured for.
fn find<T>(
    config: &ModelsConfig,
    variable: &'static str,
    kind: Kind,
    id: Option<&str>,
) -> Result<Option<Model<T>>, ModelFailure> {
    let Some(id) = id else { return Ok(None) };
    let checked = || -> Result<Manifest, ModelError> {
        let manifest = Registry::open(&config.dir)?.get(id)?;
        manifest.check(kind)?;
        Ok(manifest)
    };
    let manifest = checked().map_err(|source| ModelFailure::Configured { variable, source })?;
    Ok(Some(Model { manifest, loaded: OnceCell::new() }))
}

/// The text model that the image model's texts, and so the tags, are made with: it need not be the configured one.
fn check_texts(config: &ModelsConfig, image: &Model<Pictures>) -> Result<(), ModelFailure> {
    let checked = || -> Result<(), ModelError> {
        match image::table(&image.manifest)?.needs_text_model() {
            Some(id) => Registry::open(&config.dir)?.get(id)?.check(Kind::Text),
            None => Ok(()),
        }
    };
    checked().map_err(|source| ModelFailure::Configured { variable: "HEIMDEX_IMAGE_MODEL", source })
}
