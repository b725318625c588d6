//! The dictionary that queries in other languages are read with, where a model reads English only. It is loaded in the background at
//! start; until then, and where there is none, queries are taken as they are.

use std::{path::PathBuf, sync::Arc, time::Duration};

use heimdex_models::{Dictionary, Kind, ModelError, Registry};
use tokio::sync::watch;

use crate::encoders::Status;

/// A query waits so long for it to be loaded.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone)]
enum Slot {
    Off,
    Loading,
    Ready(Arc<Dictionary>),
    Failed,
}

/// A handle that is there from the start. Cheap to clone.
#[derive(Clone)]
pub struct QueryDictionary(watch::Receiver<Slot>);

impl QueryDictionary {
    /// Begins to load it from the models folder; `None` switches it off. One that was never fetched is off, too, and said to be: it comes from
    /// Debian's packages, which not every machine has.
    pub fn start(folder: PathBuf, id: Option<String>) -> Self {
        let Some(id) = id else { return Self(watch::channel(Slot::Off).1) };
        let (sender, slot) = watch::channel(Slot::Loading);
        tokio::task::spawn_blocking(move || {
            let loaded = Registry::open(folder).and_then(|registry| registry.get(&id)).and_then(|manifest| {
                manifest.check(Kind::Dictionary)?;
                Dictionary::load(&manifest)
            });
            let slot = match loaded {
                Ok(dictionary) => Slot::Ready(Arc::new(dictionary)),
                Err(ModelError::Missing { .. }) => {
                    tracing::warn!(
                        id,
                        "there is no such dictionary; queries in other languages are not read for models of English"
                    );
                    Slot::Off
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, id, "the dictionary cannot be loaded");
                    Slot::Failed
                }
            };
            // Nobody is left to be told when the process is ending.
            let _ = sender.send(slot);
        });
        Self(slot)
    }

    pub fn status(&self) -> Status {
        match &*self.0.borrow() {
            Slot::Off => Status::Off,
            Slot::Loading => Status::Loading,
            Slot::Ready(_) => Status::Ready,
            Slot::Failed => Status::Failed,
        }
    }

    /// What a query in another language says, word by word; `None` where it is English, or nobody knows.
    pub async fn in_english(&self, text: &str) -> Option<String> {
        let mut slot = self.0.clone();
        let settled = tokio::time::timeout(PATIENCE, slot.wait_for(|slot| !matches!(slot, Slot::Loading))).await;
        let Slot::Ready(dictionary) = settled.ok()?.ok()?.clone() else { return None };
        let text = text.to_owned();
        match tokio::task::spawn_blocking(move || dictionary.in_english(&text)).await.ok()? {
            Ok(english) => english,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the dictionary cannot be read");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// A models folder with a dictionary of one word, whose manifest lists it with this content.
    fn folder(listed: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("few");
        std::fs::create_dir(&folder).unwrap();
        let words = "de\tbrücke\tbridge\n";
        std::fs::write(folder.join("words.tsv"), words).unwrap();
        let manifest = format!(
            "kind = \"dictionary\"\nid = \"few\"\nversion = \"1\"\nengine = \"none\"\nlicence = \"MIT\"\nsource = \"-\"\nlanguages = [\"de\"]\n
             files = [{{ path = \"words.tsv\", sha256 = \"{}\", size_bytes = {} }}]",
            hex::encode(Sha256::digest(listed)),
            words.len()
        );
        std::fs::write(folder.join("heimdex-model.toml"), manifest).unwrap();
        home
    }

    async fn settled(folder: &tempfile::TempDir, id: Option<&str>) -> QueryDictionary {
        let dictionary = QueryDictionary::start(folder.path().into(), id.map(str::to_owned));
        dictionary.0.clone().wait_for(|slot| !matches!(slot, Slot::Loading)).await.unwrap();
        dictionary
    }

    #[tokio::test]
    async fn a_query_is_read_once_it_is_loaded() {
        let folder = folder("de\tbrücke\tbridge\n");
        let dictionary = settled(&folder, Some("few")).await;
        assert_eq!(dictionary.status(), Status::Ready);
        assert_eq!(dictionary.in_english("Brücke").await.as_deref(), Some("bridge"));
        assert_eq!(dictionary.in_english("qwertz").await, None);
    }

    #[tokio::test]
    async fn one_that_was_not_fetched_is_off_and_a_broken_one_has_failed() {
        let folder = folder("de\tbrücke\tpontoon\n");
        for (id, status) in [(None, Status::Off), (Some("absent"), Status::Off), (Some("few"), Status::Failed)] {
            let dictionary = settled(&folder, id).await;
            assert_eq!(dictionary.status(), status);
            assert_eq!(dictionary.in_english("Brücke").await, None);
        }
    }
}
