//! Faces, and who of the people the owner has named they are.
//! Reads: chosen frames. Writes: face detections. Again: rows replaced. No model of this kind is built in yet, so there is nothing to do.

use crate::stage::{Job, Outcome, StageContext, StageError};

const KIND: &str = "face";

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    super::no_model(cx, job, KIND).await
}
