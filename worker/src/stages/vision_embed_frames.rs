//! Image vectors of the chosen frames, pooled for each scene.
//! Reads: chosen frames. Writes: image vectors. Again: rows replaced. No model of this kind is built in yet, so there is nothing to do.

use crate::stage::{Job, Outcome, StageContext, StageError};

const KIND: &str = "image";

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    super::no_model(cx, job, KIND).await
}
