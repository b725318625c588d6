use std::path::Path;

use super::*;

/// A folder of so many small image models, `tiny-0` and on.
fn models(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../worker/models/tests/fixtures/models/clip-tiny");
    for n in 0..count {
        let own = folder.path().join(format!("tiny-{n}"));
        std::fs::create_dir(&own).unwrap();
        for entry in std::fs::read_dir(&fixture).unwrap().flatten() {
            std::fs::copy(entry.path(), own.join(entry.file_name())).unwrap();
        }
        let manifest = own.join("heimdex-model.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        std::fs::write(manifest, text.replace("clip-tiny", &format!("tiny-{n}"))).unwrap();
    }
    folder
}

async fn embed(encoders: &QueryEncoders, n: usize) -> Embedded {
    encoders.embed(Sense::Image, &format!("tiny-{n}"), "red").await.unwrap()
}

#[tokio::test]
async fn every_model_answers_and_few_are_held() {
    let folder = models(MOST + 3);
    let encoders = QueryEncoders::start(folder.path().into(), None, Some("tiny-0".into()));
    for round in 0..2 {
        for n in 0..MOST + 3 {
            let embedded = embed(&encoders, n).await;
            assert_eq!((embedded.vector.len(), embedded.floor), (8, 0.5), "round {round}, model {n}");
            let held = encoders.0.held.lock().unwrap();
            assert!(held.len() <= MOST);
            assert!(held.contains_key(&(Sense::Image, "tiny-0".into())), "the configured one stays");
        }
    }
}

#[tokio::test]
async fn what_is_off_missing_or_gone_says_so() {
    let folder = models(1);
    let encoders = QueryEncoders::start(folder.path().into(), None, Some("tiny-0".into()));
    assert_eq!(encoders.settled(Sense::Image, LONG).await, Status::Ready);
    assert_eq!(encoders.status(Sense::Text), Status::Off);
    assert!(matches!(encoders.embed(Sense::Text, "tiny-0", "red").await, Err(NoVector::Off)));
    assert!(matches!(encoders.embed(Sense::Image, "tiny-9", "red").await, Err(NoVector::Failed(id)) if id == "tiny-9"));
    assert!(encoders.likeness_floor(Sense::Image, "tiny-0").await.is_some());
    assert_eq!(encoders.likeness_floor(Sense::Image, "tiny-9").await, None);
    // What is loaded needs its files no more.
    drop(folder);
    assert_eq!(embed(&encoders, 0).await.vector.len(), 8);
}

#[tokio::test]
async fn a_picture_and_the_word_for_it_are_near_and_pictures_make_place_first() {
    let folder = models(MOST + 3);
    let encoders = QueryEncoders::start(folder.path().into(), None, Some("tiny-0".into()));
    let red = Arc::new(OwnedPicture { width: 64, height: 64, rgb: [255, 0, 0].repeat(64 * 64) });
    let word = embed(&encoders, 0).await;
    let seen = encoders.look("tiny-0", Arc::clone(&red)).await.unwrap().unwrap();
    let near: f32 = seen.vector.iter().zip(&word.vector).map(|(a, b)| a * b).sum();
    assert!(f64::from(near) >= word.floor, "{near}");
    assert_eq!(Some(seen.floor), encoders.likeness_floor(Sense::Image, "tiny-0").await);
    for n in 0..MOST + 3 {
        encoders.look(&format!("tiny-{n}"), Arc::clone(&red)).await.unwrap().unwrap();
        let held = encoders.0.held.lock().unwrap();
        assert!(held.len() <= MOST);
        assert!(held.contains_key(&(Sense::Image, "tiny-0".into())), "what every search asks for stays");
    }
    let none = QueryEncoders::start(folder.path().into(), None, None);
    assert!(matches!(none.look("tiny-0", Arc::clone(&red)).await, Err(NoVector::Off)));
    assert!(matches!(encoders.look("tiny-99", red).await, Err(NoVector::Failed(id)) if id == "tiny-99"));
}
