//! A photo of a person: read in the sandbox, written anew without metadata, and looked at: is there one good face, and is it theirs?
//! Reads: the photo as it was sent, or its checked copy. Writes: the copy, what became of the photo. Again: the same copy, the same verdict.

use std::time::Duration;

use heimdex_db::{
    DbError, keys,
    ledger::Task,
    people::{self, CheckPhoto, ToCheck, Verdict},
};
use heimdex_media::{
    child::{Limits, Request, Response},
    pictures::{Rgb, decode_jpeg},
};
use heimdex_models::face::{Effort, Face, FaceAnalyzer, QualityProblem};

use crate::{
    child,
    models::ModelFailure,
    stage::{Outcome, StageContext, StageError},
    stages::blocking,
};

/// What the API takes.
const MAX_SENT_BYTES: u64 = 10 << 20;
/// Of the checked copy, pixels: as the pictures of videos.
const LONG_SIDE: usize = 1280;
/// Of a JPEG of that size.
const MAX_COPY_BYTES: u64 = 8 << 20;
const DEADLINE: Duration = Duration::from_secs(60);
/// Of the shorter side, pixels: a face in less says nothing.
const MIN_SIDE: usize = 40;
/// A face that is less than this part of the largest one's size is somebody in the background.
const BYSTANDER: f32 = 0.2;

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let CheckPhoto { photo_id, sent_key } = super::payload(task)?;
    let Some(photo) = people::to_check(cx.db(), photo_id).await? else {
        // A worker that died may have put its copy there after the photo's objects were removed.
        return deleted(cx, sent_key.as_deref().map(keys::checked_photo)).await;
    };
    let Some(faces) = cx.models().face().await? else {
        let why = anyhow::anyhow!("this worker has no face model; HEIMDEX_FACE_MODEL and FEATURE_FACES decide");
        return Err(StageError::transient("no_face_model", why));
    };
    if photo.face_model.as_deref() == Some(faces.id()) || (photo.sent_key.is_none() && photo.object_key.is_none()) {
        return Ok(Outcome::nothing("checked before"));
    }
    let (copy, seen) = match upright(cx, &photo).await? {
        Ok((key, picture)) => {
            let analyzer = faces.clone();
            (Some(key), blocking(move || Ok(look(&analyzer, &picture)?)).await?)
        }
        Err(verdict) => (None, Err(verdict)),
    };
    let mut tx = cx.fenced_tx().await?;
    people::lock(&mut tx, photo.owner_id).await?;
    // While it was looked at, its person may have become another (two were merged), or it may have been deleted.
    let Some(photo) = people::to_check(&mut *tx, photo_id).await? else {
        tx.rollback().await.map_err(DbError::from)?;
        return deleted(cx, copy).await;
    };
    let verdict = match seen {
        Ok(found) => {
            let others = people::references_of(&mut *tx, photo.person_id, faces.id(), photo.photo_id).await?;
            accept(&faces, found, &others)
        }
        Err(verdict) => verdict,
    };
    let kept = people::set_verdict(&mut tx, &photo, copy.as_deref(), &verdict).await?;
    cx.commit(tx).await?;
    if !kept {
        return deleted(cx, copy).await;
    }
    Ok(match verdict {
        Verdict::Accepted { .. } => Outcome::done(),
        Verdict::Rejected { code, .. } => Outcome::nothing(code),
    })
}

/// The end where the photo is gone: a copy of it goes too.
async fn deleted(cx: &StageContext, copy: Option<String>) -> Result<Outcome, StageError> {
    if let Some(copy) = copy {
        cx.store().delete(&copy).await?;
    }
    Ok(Outcome::nothing("deleted"))
}

/// The copy without metadata, where it lies, and its pixels; or why there is none.
async fn upright(cx: &StageContext, photo: &ToCheck) -> Result<Result<(String, Rgb), Verdict>, StageError> {
    // Checked before, with another model: what a child of ours wrote may be read here.
    if let (None, Some(key)) = (&photo.sent_key, &photo.object_key) {
        let jpeg = cx.store().get_bytes(key, MAX_COPY_BYTES).await?;
        return Ok(Ok((key.clone(), blocking(move || Ok(decode_jpeg(&jpeg)?)).await?)));
    }
    let sent = photo.sent_key.as_deref().ok_or_else(|| StageError::missing("the photo"))?;
    let folder = cx.scratch().folder(MAX_SENT_BYTES + MAX_COPY_BYTES).await?;
    let (source, target) = (folder.path().join("sent"), folder.path().join("copy.jpg"));
    cx.store().get_file(sent, &source, MAX_SENT_BYTES).await?;
    let request = Request::DecodeStill { source, target: target.clone(), long_side: LONG_SIDE };
    let limits = Limits { memory_bytes: 2 << 30, cpu_s: 30, file_bytes: MAX_COPY_BYTES, ..Limits::default() };
    match child::run_within(cx, limits, request, DEADLINE, (5, 60)).await {
        Ok(Response::DecodeStill { .. }) => {}
        Ok(_) => return Err(child::wrong_answer()),
        Err(StageError::Rejected { code, message, .. }) => return Ok(Err(Verdict::Rejected { code, message })),
        // A photo that crashes, hangs or exhausts a decoder once does it again.
        Err(StageError::Transient { code: "decoder_crashed" | "decoder_hung" | "decoder_limit", source }) => {
            tracing::warn!(photo_id = %photo.photo_id, error = %source, "a photo broke its decoder");
            return Ok(Err(rejected("picture_damaged", "The picture is damaged and cannot be read; send another.")));
        }
        Err(error) => return Err(error),
    }
    let key = keys::checked_photo(sent);
    cx.store().put_file(&key, &target, "image/jpeg").await?;
    let jpeg = tokio::fs::read(&target).await?;
    Ok(Ok((key, blocking(move || Ok(decode_jpeg(&jpeg)?)).await?)))
}

/// The one good face of a photo.
struct Found {
    vector: Vec<f32>,
    quality: f32,
}

fn look(analyzer: &FaceAnalyzer, picture: &Rgb) -> Result<Result<Found, Verdict>, ModelFailure> {
    if picture.width.min(picture.height) < MIN_SIDE {
        return Ok(Err(rejected("picture_too_small", "The picture is too small. Send a larger one.")));
    }
    let picture = heimdex_models::Picture::new(picture.width, picture.height, &picture.data)?;
    let faces = analyzer.detect(picture, Effort::Thorough)?;
    let face = match only(&faces) {
        Ok(face) => face,
        Err(verdict) => return Ok(Err(verdict)),
    };
    let vector = analyzer.embed(picture, std::slice::from_ref(face))?.pop();
    Ok(vector.map_or_else(|| Err(nobody()), |vector| Ok(Found { vector, quality: face.quality.overall })))
}

/// The photo's one face, if it is good enough.
fn only(faces: &[Face]) -> Result<&Face, Verdict> {
    let size = |face: &Face| face.bounds.width.max(face.bounds.height);
    let largest = faces.iter().map(size).fold(0.0, f32::max);
    let mut in_front = faces.iter().filter(|face| size(face) >= BYSTANDER * largest);
    let face = in_front.next().ok_or_else(nobody)?;
    if in_front.next().is_some() {
        return Err(rejected(
            "several_faces",
            "There is more than one face in this photo. Send one with only this person, or cut the others off.",
        ));
    }
    match face.quality.problem() {
        None => Ok(face),
        Some(problem) => Err(describe(problem)),
    }
}

fn describe(problem: QualityProblem) -> Verdict {
    match problem {
        QualityProblem::TooSmall => {
            rejected("face_too_small", "The face is too small. Send a photo taken from nearer, or cut it to the face.")
        }
        QualityProblem::Blurred => rejected("face_blurred", "The face is not sharp. Send a sharper photo."),
        QualityProblem::TurnedAway => rejected(
            "face_turned_away",
            "The face is turned away. Send a photo in which the person looks at the camera.",
        ),
        QualityProblem::TooDark => rejected("face_too_dark", "The face is too dark. Send a photo with more light."),
        QualityProblem::TooBright => {
            rejected("face_too_bright", "The face is overexposed. Send a photo with less light.")
        }
    }
}

fn nobody() -> Verdict {
    rejected("no_face", "No face was found in this photo. Send one in which the face is well to be seen.")
}

/// A face is taken when it is like one of the person's other photos, or the first.
fn accept(analyzer: &FaceAnalyzer, found: Found, others: &[Vec<f32>]) -> Verdict {
    let alike = |other: &Vec<f32>| other.iter().zip(&found.vector).map(|(a, b)| a * b).sum::<f32>();
    let best = others.iter().map(alike).fold(f32::NEG_INFINITY, f32::max);
    if !others.is_empty() && best < analyzer.thresholds().same {
        return rejected(
            "another_person",
            "This face is not like the person's other photos. Send another photo; if this is the right person, delete the others.",
        );
    }
    Verdict::Accepted { model: analyzer.id().to_owned(), vector: found.vector, quality: found.quality }
}

fn rejected(code: &str, message: &str) -> Verdict {
    Verdict::Rejected { code: code.to_owned(), message: message.to_owned() }
}
