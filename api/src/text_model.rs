//! The text model, loaded in the background so that a start is quick; until it is there, search goes by words alone and
//! readiness says so.

use std::{path::PathBuf, sync::Arc, time::Duration};

use heimdex_models::{ModelError, Registry, TextEmbedder};
use tokio::sync::watch;

/// One query is short; more threads would only take them from others.
const THREADS: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Configured as `none`.
    Off,
    Loading,
    Ready,
    Failed,
}

#[derive(Clone)]
enum Slot {
    Off,
    Loading,
    Ready(Arc<TextEmbedder>),
    Failed,
}

/// A handle that is there from the start.
#[derive(Clone)]
pub struct TextModel {
    id: Option<String>,
    slot: watch::Receiver<Slot>,
}

/// Why a query has no vector.
#[derive(Debug, thiserror::Error)]
pub enum NoVector {
    #[error("no text model is configured")]
    Off,
    #[error("the text model is still being loaded")]
    Loading,
    #[error("the text model could not be loaded")]
    Failed,
    #[error("the query could not be embedded")]
    Model(#[from] ModelError),
    #[error("embedding was interrupted")]
    Interrupted,
}

impl TextModel {
    /// Starts loading `id` from the models folder; `None` switches it off.
    pub fn load(folder: PathBuf, id: Option<String>) -> Self {
        let Some(name) = id.clone() else {
            return Self { id, slot: watch::channel(Slot::Off).1 };
        };
        let (sender, slot) = watch::channel(Slot::Loading);
        tokio::task::spawn_blocking(move || {
            let loaded = Registry::open(folder).and_then(|registry| TextEmbedder::load(&registry.get(&name)?, THREADS));
            let slot = match loaded {
                Ok(embedder) => Slot::Ready(Arc::new(embedder)),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        model = name,
                        "the text model cannot be loaded"
                    );
                    Slot::Failed
                }
            };
            // Nobody is left to be told when the process is ending.
            let _ = sender.send(slot);
        });
        Self { id, slot }
    }

    pub fn status(&self) -> Status {
        match &*self.slot.borrow() {
            Slot::Off => Status::Off,
            Slot::Loading => Status::Loading,
            Slot::Ready(_) => Status::Ready,
            Slot::Failed => Status::Failed,
        }
    }

    /// Waits until loading has ended one way or the other, at most so long.
    pub async fn settled(&self, patience: Duration) -> Status {
        let mut slot = self.slot.clone();
        let _ = tokio::time::timeout(patience, slot.wait_for(|slot| !matches!(slot, Slot::Loading))).await;
        self.status()
    }

    /// The model's id, under which its vectors are stored.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// A query in the model's space.
    pub async fn embed_query(&self, text: &str) -> Result<Vec<f32>, NoVector> {
        let embedder = match &*self.slot.borrow() {
            Slot::Off => return Err(NoVector::Off),
            Slot::Loading => return Err(NoVector::Loading),
            Slot::Failed => return Err(NoVector::Failed),
            Slot::Ready(embedder) => Arc::clone(embedder),
        };
        let text = text.to_owned();
        let vector = tokio::task::spawn_blocking(move || embedder.embed_query(&text)).await;
        Ok(vector.map_err(|_| NoVector::Interrupted)??)
    }
}
