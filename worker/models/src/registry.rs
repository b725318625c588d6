//! The folder of models, and whether what lies in it is what its manifests promise.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::error::ModelError;
use crate::manifest::{MANIFEST, Manifest, ModelFile};

/// Remembers which bytes were hashed before, so that a start does not read hundreds of megabytes again.
/// One line a file: `sha256 size mtime_ns path`. It lies in the model's folder where that can be written; where it cannot,
/// every start hashes.
const STAMP: &str = ".verified";

/// A folder with one sub-folder a model.
#[derive(Debug, Clone)]
pub struct Registry {
    folder: PathBuf,
}

impl Registry {
    /// Opens a models folder (`HEIMDEX_MODELS_DIR`).
    ///
    /// # Errors
    /// [`ModelError::Missing`] when there is no such folder.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, ModelError> {
        let folder = folder.into();
        if !folder.is_dir() {
            return Err(ModelError::Missing { id: "*".to_owned(), path: folder, known: "none".to_owned() });
        }
        Ok(Self { folder })
    }

    /// The model `id`, every file checked against its size and sha256.
    ///
    /// A file whose size and modification time are those of the last successful check is not read again.
    ///
    /// # Errors
    /// [`ModelError::Missing`], [`ModelError::Manifest`] or [`ModelError::BrokenFile`]; each names the file and what mends it.
    pub fn get(&self, id: &str) -> Result<Manifest, ModelError> {
        let folder = self.folder.join(id);
        let plain =
            !id.is_empty() && Path::new(id).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !plain || !folder.join(MANIFEST).is_file() {
            return Err(ModelError::Missing { id: id.to_owned(), path: folder.join(MANIFEST), known: self.known() });
        }
        let manifest = Manifest::read(&folder)?;
        if manifest.id != id {
            let reason = format!("says id `{}` but lies in the folder `{id}`", manifest.id);
            return Err(ModelError::Manifest { path: folder.join(MANIFEST), reason });
        }
        verify(&manifest)?;
        Ok(manifest)
    }

    /// Ids of the folders that have a manifest, sorted; nothing is verified.
    ///
    /// # Errors
    /// [`ModelError::Missing`] when the folder has gone.
    pub fn ids(&self) -> Result<Vec<String>, ModelError> {
        let missing =
            |_| ModelError::Missing { id: "*".to_owned(), path: self.folder.clone(), known: "none".to_owned() };
        let mut ids: Vec<String> = fs::read_dir(&self.folder)
            .map_err(missing)?
            .flatten()
            .filter(|entry| entry.path().join(MANIFEST).is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .collect();
        ids.sort();
        Ok(ids)
    }

    fn known(&self) -> String {
        match self.ids() {
            Ok(ids) if !ids.is_empty() => ids.join(", "),
            _ => "none".to_owned(),
        }
    }
}

fn verify(manifest: &Manifest) -> Result<(), ModelError> {
    let stamp = manifest.folder.join(STAMP);
    let remembered = fs::read_to_string(&stamp).unwrap_or_default();
    let mut lines = Vec::with_capacity(manifest.files.len());
    for file in &manifest.files {
        lines.push(verify_file(manifest, file, &remembered)?);
    }
    let fresh = lines.join("\n");
    if fresh != remembered {
        // A read-only models folder is fine: the next start hashes again.
        let beside = manifest.folder.join(format!("{STAMP}.{}", std::process::id()));
        if fs::write(&beside, &fresh).and_then(|()| fs::rename(&beside, &stamp)).is_err() {
            tracing::debug!(folder = %manifest.folder.display(), "models folder is read-only; files are hashed at each start");
        }
    }
    Ok(())
}

/// Returns the stamp line of a file that is as it should be.
fn verify_file(manifest: &Manifest, file: &ModelFile, remembered: &str) -> Result<String, ModelError> {
    let path = manifest.folder.join(&file.path);
    let broken = |expected: String, found: String| ModelError::BrokenFile {
        id: manifest.id.clone(),
        path: path.clone(),
        expected,
        found,
    };
    let size = format!("{} bytes", file.size_bytes);
    let about = fs::metadata(&path).map_err(|error| broken(size.clone(), error.to_string()))?;
    if about.len() != file.size_bytes {
        return Err(broken(size, format!("{} bytes", about.len())));
    }
    let modified_ns =
        about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
    let line = format!("{} {} {modified_ns} {}", file.sha256, file.size_bytes, file.path.display());
    if remembered.lines().any(|known| known == line) {
        return Ok(line);
    }
    let found = sha256(&path).map_err(|error| broken(size, error.to_string()))?;
    if found != file.sha256 {
        return Err(broken(format!("sha256 {}", file.sha256), format!("sha256 {found}")));
    }
    Ok(line)
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(&buffer[..read]);
    }
}
