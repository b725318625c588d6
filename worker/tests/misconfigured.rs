//! Models that are on disk and do not fit what they are configured for: the worker does not start, and says which and why.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::path::{Path, PathBuf};

use common::{PATIENCE, WorkerCommand, World, until};
use heimdex_db::Stage;

/// A models folder of this test's own inside the world's.
fn models(world: &World) -> PathBuf {
    let models = world.dir.path().join("models");
    std::fs::create_dir(&models).unwrap();
    models
}

async fn refuses_to_start(worker: WorkerCommand<'_>, says: &[&str]) {
    let mut worker = worker.start();
    let status = until("the worker has ended", PATIENCE, async || worker.child.try_wait().ok()?).await;
    assert!(!status.success());
    let log = worker.log();
    for part in says {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[tokio::test]
async fn a_face_model_without_its_table() {
    let world = World::new().await;
    let models = models(&world);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tests/fixtures/models/yunet-tiny");
    let folder = models.join("yunet-tiny");
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(fixture).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let manifest = std::fs::read_to_string(folder.join("heimdex-model.toml")).unwrap();
    std::fs::write(folder.join("heimdex-model.toml"), manifest.split_once("[face]").unwrap().0).unwrap();
    let worker = world
        .worker("one")
        .with("HEIMDEX_MODELS_DIR", models.to_str().unwrap())
        .with("HEIMDEX_FACE_MODEL", "yunet-tiny")
        .with("HEIMDEX_EXPRESSION_MODEL", "none")
        .with("FEATURE_FACES", "true")
        .stages(&[Stage::FacesEnrollMatch]);
    refuses_to_start(worker, &["HEIMDEX_FACE_MODEL", "yunet-tiny", "[face]"]).await;
}

#[tokio::test]
async fn an_image_model_whose_texts_need_a_model_that_is_not_there() {
    let world = World::new().await;
    let models = models(&world);
    let id = "efficientnet-lite0-conse";
    let fetched = PathBuf::from(std::env::var_os("HEIMDEX_MODELS_DIR").unwrap());
    std::os::unix::fs::symlink(fetched.join(id), models.join(id)).unwrap();
    let worker = world
        .worker("one")
        .with("HEIMDEX_MODELS_DIR", models.to_str().unwrap())
        .with("HEIMDEX_IMAGE_MODEL", id)
        .with("HEIMDEX_TEXT_MODEL", "none")
        .stages(&[Stage::VisionAffectTags]);
    refuses_to_start(worker, &["HEIMDEX_IMAGE_MODEL", "all-minilm-l6-v2"]).await;
}
