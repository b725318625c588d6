//! The models that queries are embedded with, by id: each is loaded when first asked for and kept while it is in use, so that what
//! an older model has indexed stays findable until a newer one has indexed it again. The networks that look at pictures are loaded when
//! somebody searches by a picture, and are the first to make place.
//!
//! The configured ones are loaded in the background at start, so that a start is quick; until then, search goes by words alone and
//! readiness says so.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use heimdex_db::vectors::VectorKind;
use heimdex_models::{
    ImageEncoder, ImageOptions, ImageTexts, Manifest, ModelError, Registry, TextEmbedder, image, picture::OwnedPicture,
};
use lru::LruCache;
use tokio::sync::watch;

/// One query is short; more threads would only take them from others.
const THREADS: usize = 1;
/// Encoders held at once; the one longest not asked for makes place for another.
const MOST: usize = 6;
/// A query waits so long for its encoder to be loaded, then does without.
const PATIENCE: Duration = Duration::from_secs(1);
/// Whoever searches by a picture has chosen a file and waits a little longer.
const PATIENCE_FOR_PICTURES: Duration = Duration::from_secs(10);
/// One model waits so long for another that it stands on.
const LONG: Duration = Duration::from_secs(600);
/// Queries whose vectors are remembered, about 2 MB: typing, paging, and each search's second look for the best picture ask again.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1024).unwrap();
/// A model that could not be loaded is not tried again before.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// What is looked for with a query's vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sense {
    /// What is said.
    Text,
    /// What is seen.
    Image,
    /// What is seen, by a picture instead of words.
    Picture,
}

impl Sense {
    const fn as_str(self) -> &'static str {
        self.vectors().as_str()
    }

    /// What it is compared with.
    pub const fn vectors(self) -> VectorKind {
        match self {
            Self::Text => VectorKind::Text,
            Self::Image | Self::Picture => VectorKind::Image,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Configured as `none`; of the dictionary also: never fetched.
    Off,
    Loading,
    Ready,
    Failed,
}

/// Of a model; the numbers as in [`Embedded`].
#[derive(Clone)]
enum Encoder {
    Text { embedder: Arc<TextEmbedder>, english: bool },
    Image { texts: Arc<dyn ImageTexts>, english: bool, floor: f64, even: f64 },
    Pictures { pictures: Arc<dyn ImageEncoder>, floor: f64 },
}

#[derive(Clone)]
enum Slot {
    Loading,
    Ready(Encoder),
    Failed(Instant),
}

struct Held {
    slot: watch::Receiver<Slot>,
    asked_for: Instant,
}

type Key = (Sense, String);

/// A handle that is there from the start. Cheap to clone.
#[derive(Clone)]
pub struct QueryEncoders(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    text: Option<String>,
    image: Option<String>,
    held: Mutex<HashMap<Key, Held>>,
    /// By model and text. A model's files do not change under its id while the process runs.
    queries: Mutex<LruCache<(Key, String), Embedded>>,
}

/// A query in a model's space.
#[derive(Clone, Debug)]
pub struct Embedded {
    pub vector: Vec<f32>,
    /// Cosine similarity below which something else is meant.
    pub floor: f64,
    /// Cosine similarity at which it is meant as probably as not.
    pub even: f64,
    /// The model reads no language but English.
    pub english: bool,
}

/// Why a query has no vector.
#[derive(Debug, thiserror::Error)]
pub enum NoVector {
    #[error("no model of this kind is configured")]
    Off,
    #[error("the model is still being loaded")]
    Loading,
    #[error("the model `{0}` could not be loaded")]
    Failed(String),
    #[error("the query could not be embedded")]
    Model(#[from] ModelError),
    #[error("embedding was interrupted")]
    Interrupted,
}

impl QueryEncoders {
    /// Begins to load the configured ones from the models folder; `None` switches a sense off.
    pub fn start(folder: PathBuf, text: Option<String>, image: Option<String>) -> Self {
        let encoders = Self(Arc::new(Inner {
            folder,
            text,
            image,
            held: Mutex::default(),
            queries: Mutex::new(LruCache::new(REMEMBERED)),
        }));
        for sense in [Sense::Text, Sense::Image] {
            if let Some(id) = encoders.configured(sense) {
                encoders.slot(sense, id);
            }
        }
        encoders
    }

    /// The id of the configured model.
    pub fn configured(&self, sense: Sense) -> Option<&str> {
        match sense {
            Sense::Text => self.0.text.as_deref(),
            Sense::Image | Sense::Picture => self.0.image.as_deref(),
        }
    }

    /// Of the configured model.
    pub fn status(&self, sense: Sense) -> Status {
        let Some(id) = self.configured(sense) else { return Status::Off };
        match &*self.slot(sense, id).borrow() {
            Slot::Loading => Status::Loading,
            Slot::Ready(_) => Status::Ready,
            Slot::Failed(_) => Status::Failed,
        }
    }

    /// Waits until the configured model is loaded or has failed to be, at most so long.
    pub async fn settled(&self, sense: Sense, patience: Duration) -> Status {
        if let Some(id) = self.configured(sense) {
            let mut slot = self.slot(sense, id);
            let _ = tokio::time::timeout(patience, slot.wait_for(|slot| !matches!(slot, Slot::Loading))).await;
        }
        self.status(sense)
    }

    /// A query in the space of the model `id`.
    pub async fn embed(&self, sense: Sense, id: &str, text: &str) -> Result<Embedded, NoVector> {
        if self.configured(sense).is_none() {
            return Err(NoVector::Off);
        }
        let key = ((sense, id.to_owned()), text.to_owned());
        if let Some(known) = self.0.queries.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let encoder = self.encoder(sense, id, PATIENCE).await?;
        let text = text.to_owned();
        let embedding = move || match encoder {
            Encoder::Text { embedder, english } => Ok(Embedded {
                vector: embedder.embed_query(&text)?,
                floor: f64::from(embedder.similarity_floor()),
                even: f64::from(embedder.similarity_even()),
                english,
            }),
            Encoder::Image { texts, english, floor, even } => {
                let vector = texts.embed_texts(&[&text])?.into_iter().next().ok_or(NoVector::Interrupted)?;
                Ok(Embedded { vector, floor, even, english })
            }
            // Nobody asks it for a text.
            Encoder::Pictures { .. } => Err(NoVector::Interrupted),
        };
        let embedded: Result<Embedded, NoVector> =
            tokio::task::spawn_blocking(embedding).await.map_err(|_| NoVector::Interrupted)?;
        let embedded = embedded?;
        self.0.queries.lock().unwrap_or_else(PoisonError::into_inner).put(key, embedded.clone());
        Ok(embedded)
    }

    /// A query as the configured text model of English would spell it, where it has misspelt words; `None` where that model is not there.
    pub async fn corrected(&self, text: &str) -> Option<String> {
        let encoder = self.encoder(Sense::Text, self.configured(Sense::Text)?, PATIENCE).await.ok()?;
        match encoder {
            Encoder::Text { embedder, english: true } => embedder.corrected(text),
            _ => None,
        }
    }

    /// Whether the configured text model of English knows the words of a query; assumed where that model is not there.
    pub async fn reads(&self, text: &str) -> bool {
        let Some(id) = self.configured(Sense::Text) else { return true };
        match self.encoder(Sense::Text, id, PATIENCE).await {
            Ok(Encoder::Text { embedder, english: true }) => embedder.reads(text),
            _ => true,
        }
    }

    /// A picture in the space of the model `id`; its floor is that of things that are alike. `None`: the model sees nothing in it.
    pub async fn look(&self, id: &str, picture: Arc<OwnedPicture>) -> Result<Option<Embedded>, NoVector> {
        if self.configured(Sense::Picture).is_none() {
            return Err(NoVector::Off);
        }
        let encoder = self.encoder(Sense::Picture, id, PATIENCE_FOR_PICTURES).await?;
        let Encoder::Pictures { pictures, floor } = encoder else {
            return Err(NoVector::Interrupted);
        };
        let looking = move || {
            let vector = pictures.embed_pictures(&[picture.as_picture()])?.into_iter().next();
            // Halfway to the same picture.
            let even = (floor + 1.0) / 2.0;
            Ok(vector.flatten().map(|vector| Embedded { vector, floor, even, english: false }))
        };
        tokio::task::spawn_blocking(looking).await.map_err(|_| NoVector::Interrupted)?
    }

    /// Cosine similarity below which two things of the model are not alike. It asks for the manifest only; `None` when there is
    /// none any more.
    pub async fn likeness_floor(&self, sense: Sense, id: &str) -> Option<f64> {
        let folder = self.0.folder.join(id);
        let manifest = tokio::task::spawn_blocking(move || Manifest::read(&folder)).await.ok()?.ok()?;
        Some(f64::from(match sense {
            Sense::Text => manifest.preprocessing.similarity_floor(),
            Sense::Image | Sense::Picture => image::table(&manifest).ok()?.likeness_floor,
        }))
    }

    async fn encoder(&self, sense: Sense, id: &str, patience: Duration) -> Result<Encoder, NoVector> {
        let mut slot = self.slot(sense, id);
        let settled = tokio::time::timeout(patience, slot.wait_for(|slot| !matches!(slot, Slot::Loading))).await;
        match settled.map_err(|_| NoVector::Loading)?.as_deref() {
            Ok(Slot::Ready(encoder)) => Ok(encoder.clone()),
            Ok(Slot::Loading | Slot::Failed(_)) => Err(NoVector::Failed(id.to_owned())),
            Err(_) => Err(NoVector::Interrupted),
        }
    }

    /// Where the model is or will be; begins to load it if nobody has.
    fn slot(&self, sense: Sense, id: &str) -> watch::Receiver<Slot> {
        let key = (sense, id.to_owned());
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held.get_mut(&key).filter(|known| !known.stale()) {
            known.asked_for = Instant::now();
            return known.slot.clone();
        }
        held.remove(&key);
        if held.len() >= MOST
            && let Some(idle) = self.idle(&held)
        {
            held.remove(&idle);
        }
        let (sender, slot) = watch::channel(Slot::Loading);
        held.insert(key, Held { slot: slot.clone(), asked_for: Instant::now() });
        let (encoders, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            let slot = match encoders.load(sense, &id).await {
                Ok(encoder) => Slot::Ready(encoder),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, model = id, sense = sense.as_str(), "a query's model cannot be loaded");
                    Slot::Failed(Instant::now())
                }
            };
            // Nobody is left to be told when the process is ending.
            let _ = sender.send(slot);
        });
        slot
    }

    /// The one longest not asked for that nobody waits for; no configured one that reads, since every search asks for it.
    fn idle(&self, held: &HashMap<Key, Held>) -> Option<Key> {
        held.iter()
            .filter(|((sense, id), held)| {
                (*sense == Sense::Picture || self.configured(*sense) != Some(id)) && !held.loading()
            })
            .min_by_key(|(_, held)| held.asked_for)
            .map(|(key, _)| key.clone())
    }

    async fn load(&self, sense: Sense, id: &str) -> Result<Encoder, NoVector> {
        let (folder, id) = (self.0.folder.clone(), id.to_owned());
        let verified = tokio::task::spawn_blocking(move || Registry::open(folder)?.get(&id)).await;
        let manifest = verified.map_err(|_| NoVector::Interrupted)??;
        let english = manifest.languages == ["en"];
        let loading: Box<dyn FnOnce() -> Result<Encoder, ModelError> + Send> = match sense {
            Sense::Text => Box::new(move || {
                Ok(Encoder::Text { embedder: Arc::new(TextEmbedder::load(&manifest, THREADS)?), english })
            }),
            Sense::Image => {
                // An image model that stands on a text model shares it with whoever else asks for that.
                let shared = match image::table(&manifest)?.needs_text_model() {
                    Some(id) => match self.encoder(Sense::Text, id, LONG).await? {
                        Encoder::Text { embedder, .. } => Some(embedder),
                        Encoder::Image { .. } | Encoder::Pictures { .. } => None,
                    },
                    None => None,
                };
                Box::new(move || {
                    let texts = image::load_texts(&manifest, THREADS, shared)?;
                    let table = image::table(&manifest)?;
                    let (floor, even) = (f64::from(table.similarity_floor), f64::from(table.similarity_even()));
                    Ok(Encoder::Image { texts: texts.into(), english, floor, even })
                })
            }
            Sense::Picture => Box::new(move || {
                let options = ImageOptions { threads: THREADS, ..ImageOptions::default() };
                let pictures = image::load_pictures(&manifest, options)?;
                let floor = f64::from(image::table(&manifest)?.likeness_floor);
                Ok(Encoder::Pictures { pictures: pictures.into(), floor })
            }),
        };
        Ok(tokio::task::spawn_blocking(loading).await.map_err(|_| NoVector::Interrupted)??)
    }
}

impl Held {
    fn loading(&self) -> bool {
        matches!(&*self.slot.borrow(), Slot::Loading)
    }

    fn stale(&self) -> bool {
        matches!(&*self.slot.borrow(), Slot::Failed(at) if at.elapsed() > TRY_AGAIN)
    }
}

#[cfg(test)]
#[path = "encoders_tests.rs"]
mod tests;
