//! One error for the whole crate. What the caller decides by it:
//! everything up to [`ModelError::Runtime`] is the installation's fault and stops the process at start;
//! [`ModelError::Samples`] and [`ModelError::Picture`] are the input's; [`ModelError::Cancelled`] is the caller's own wish; [`ModelError::Engine`] is a bug
//! or a lack of memory.

use std::io;
use std::path::PathBuf;

/// The command that fetches or repairs the models, named in every message about a missing or broken file.
pub(crate) const MEND: &str = "run scripts/models to fetch it again";
const MEND_LIBS: &str = "run scripts/native-libs and set ORT_DYLIB_PATH to the libonnxruntime.so it installs";

/// Why a model could not be found, loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No folder of that name, or none with a manifest.
    #[error("model `{id}`: {} does not exist; known models there: {known}; {MEND}", path.display())]
    Missing { id: String, path: PathBuf, known: String },
    /// The manifest cannot be read or says something impossible.
    #[error("model manifest {}: {reason}; {MEND}", path.display())]
    Manifest { path: PathBuf, reason: String },
    /// A file listed in the manifest is absent, of another size or of another content.
    #[error("model `{id}`: {} is broken: expected {expected}, found {found}; {MEND}", path.display())]
    BrokenFile { id: String, path: PathBuf, expected: String, found: String },
    /// The files are those of the manifest, yet the model is not what the manifest (or this program) takes it for.
    #[error("model `{id}`: {}: expected {expected}, found {found}; {MEND}", path.display())]
    Mismatch { id: String, path: PathBuf, expected: String, found: String },
    /// ONNX Runtime's library could not be loaded.
    #[error("ONNX Runtime: {reason}; {MEND_LIBS}")]
    Runtime { reason: String },
    /// The audio could not be read.
    #[error("audio samples: {0}")]
    Samples(#[from] io::Error),
    /// The picture is not what its size says, or has nothing in it.
    #[error("picture: {reason}")]
    Picture { reason: String },
    /// The caller's cancel function returned true.
    #[error("cancelled")]
    Cancelled,
    /// An engine refused or failed.
    #[error("{engine}: {reason}")]
    Engine { engine: &'static str, reason: String },
}

impl ModelError {
    pub(crate) fn ctranslate2(error: impl std::fmt::Display) -> Self {
        Self::Engine { engine: "CTranslate2", reason: format!("{error:#}") }
    }

    pub(crate) fn onnx(error: impl std::fmt::Display) -> Self {
        Self::Engine { engine: "ONNX Runtime", reason: error.to_string() }
    }

    pub(crate) fn tokenizer(error: impl std::fmt::Display) -> Self {
        Self::Engine { engine: "tokenizer", reason: error.to_string() }
    }
}
