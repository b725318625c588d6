use std::fs;
use std::path::{Path, PathBuf};

use heimdex_models::{ModelError, Registry};
use tempfile::TempDir;

use super::registry;

/// A copy of one model that a test may spoil.
pub(crate) struct Copy {
    home: TempDir,
    id: &'static str,
}

impl Copy {
    /// Of a real model.
    pub(crate) fn of(id: &'static str) -> Self {
        Self::from(&registry().get(id).unwrap().folder, id)
    }

    /// Of a small one that a script beside the tests has made.
    pub(crate) fn of_fixture(id: &'static str) -> Self {
        Self::from(&Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/fixtures/models").join(id), id)
    }

    fn from(source: &Path, id: &'static str) -> Self {
        let home = TempDir::new().unwrap();
        fs::create_dir(home.path().join(id)).unwrap();
        for entry in fs::read_dir(source).unwrap().flatten() {
            fs::copy(entry.path(), home.path().join(id).join(entry.file_name())).unwrap();
        }
        let copy = Self { home, id };
        let _ = fs::remove_file(copy.file(".verified"));
        copy
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(self.id).join(name)
    }

    pub(crate) fn edit_manifest(&self, from: &str, to: &str) {
        let path = self.file("heimdex-model.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    pub(crate) fn get(&self) -> Result<heimdex_models::Manifest, ModelError> {
        Registry::open(self.home.path()).unwrap().get(self.id)
    }

    /// Makes the manifest agree with a file that was put in place of another.
    pub(crate) fn replace(&self, name: &str, content: &[u8]) {
        use sha2::{Digest, Sha256};
        let digest =
            |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
        let old = fs::read(self.file(name)).unwrap();
        fs::write(self.file(name), content).unwrap();
        self.edit_manifest(&digest(&old), &digest(content));
        self.edit_manifest(&format!("size_bytes = {}", old.len()), &format!("size_bytes = {}", content.len()));
    }
}
