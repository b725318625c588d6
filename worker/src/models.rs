//! The models this worker uses: checked at start, loaded by the first stage that needs them, shared by all.

use std::sync::Arc;

use heimdex_db::Stage;
use heimdex_models::{
    AsrOptions, ExpressionClassifier, FaceAnalyzer, Manifest, ModelError, Registry, TextEmbedder, Vad, Whisper,
};
use tokio::sync::OnceCell;

use crate::config::ModelsConfig;

/// Why a model could not be had, or did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ModelFailure {
    #[error("{variable}: {source}")]
    Configured { variable: &'static str, source: ModelError },
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
        load: fn(&Manifest, usize) -> Result<T, ModelError>,
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
    pub face: Option<Model<FaceAnalyzer>>,
    pub expression: Option<Model<ExpressionClassifier>>,
    threads: usize,
}

impl Models {
    /// Checks the files of every model that the served stages will use; `faces` says whether this deployment looks for any. Every
    /// worker does tasks, and photos of people are checked by one, so that the face model belongs to all.
    ///
    /// # Errors
    /// Names the variable, the file and the command that mends it.
    pub fn open(config: &ModelsConfig, faces: bool, stages: &[Stage]) -> Result<Self, ModelFailure> {
        let hears = stages.contains(&Stage::AsrFast) && config.asr.is_some();
        let recognises = faces && stages.contains(&Stage::FacesEnrollMatch);
        let reads = stages.contains(&Stage::EmbedText);
        Ok(Self {
            asr: find(config, "HEIMDEX_ASR_MODEL", config.asr.as_deref().filter(|_| hears))?,
            vad: find(config, "HEIMDEX_VAD_MODEL", config.vad.as_deref().filter(|_| hears))?,
            text: find(config, "HEIMDEX_TEXT_MODEL", config.text.as_deref().filter(|_| reads))?,
            face: find(config, "HEIMDEX_FACE_MODEL", config.face.as_deref().filter(|_| faces))?,
            expression: find(
                config,
                "HEIMDEX_EXPRESSION_MODEL",
                config.expression.as_deref().filter(|_| recognises && config.face.is_some()),
            )?,
            threads: config.threads,
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
        }
        Ok(())
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

    pub async fn face(&self) -> Result<Option<Arc<FaceAnalyzer>>, ModelFailure> {
        in_use(&self.face, FaceAnalyzer::load, self.threads).await
    }

    pub async fn expression(&self) -> Result<Option<Arc<ExpressionClassifier>>, ModelFailure> {
        // It is small, and each picture is looked at on a thread of its own.
        in_use(&self.expression, ExpressionClassifier::load, 1).await
    }
}

async fn in_use<T: Send + Sync + 'static>(
    model: &Option<Model<T>>,
    load: fn(&Manifest, usize) -> Result<T, ModelError>,
    threads: usize,
) -> Result<Option<Arc<T>>, ModelFailure> {
    match model {
        Some(model) => model.get(load, threads).await.map(Some),
        None => Ok(None),
    }
}

fn find<T>(config: &ModelsConfig, variable: &'static str, id: Option<&str>) -> Result<Option<Model<T>>, ModelFailure> {
    let Some(id) = id else { return Ok(None) };
    let manifest = Registry::open(&config.dir)
        .and_then(|registry| registry.get(id))
        .map_err(|source| ModelFailure::Configured { variable, source })?;
    Ok(Some(Model { manifest, loaded: OnceCell::new() }))
}
