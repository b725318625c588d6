//! Tags and affect of each scene.
//! Reads: image vectors, words, faces. Writes: scene tags, affect. Again: rows replaced. No model of this kind is built in yet, so there is nothing to do.

use crate::stage::{Job, Outcome, StageContext, StageError};

const KIND: &str = "affect";

pub async fn run(cx: &StageContext, job: &Job) -> Result<Outcome, StageError> {
    super::no_model(cx, job, KIND).await
}
