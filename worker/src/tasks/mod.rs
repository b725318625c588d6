//! Work that is no stage: one file a kind, under the same ledger rules as the stages.

pub mod apply_edits;
pub mod check_photo;
pub mod cut_clip;
pub mod delete_objects;
pub mod make_proxy;
pub mod match_person;
pub mod purge_account;
pub mod purge_video;
pub mod send_mail;

use heimdex_db::{
    ledger::Task,
    mail::SEND_MAIL,
    moments::edits::APPLY_EDITS,
    people::{CHECK_PHOTO, MATCH_PERSON},
    tasks::{CUT_CLIP, DELETE_OBJECTS, MAKE_PROXY, PURGE_VIDEO},
    users::PURGE_TASK as PURGE_ACCOUNT,
};

use crate::stage::{Outcome, StageContext, StageError};

/// Does a task.
pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    match task.kind.as_str() {
        PURGE_VIDEO => purge_video::run(cx, task).await,
        MAKE_PROXY => make_proxy::run(cx, task).await,
        CUT_CLIP => cut_clip::run(cx, task).await,
        APPLY_EDITS => apply_edits::run(cx, task).await,
        PURGE_ACCOUNT => purge_account::run(cx, task).await,
        CHECK_PHOTO => check_photo::run(cx, task).await,
        MATCH_PERSON => match_person::run(cx, task).await,
        DELETE_OBJECTS => delete_objects::run(cx, task).await,
        SEND_MAIL => send_mail::run(cx, task).await,
        kind => Err(StageError::Rejected {
            code: "unknown_kind".into(),
            message: "This version of Heimdex does not know this kind of work.".into(),
            detail: format!("no such kind of task: {kind}"),
        }),
    }
}

/// A task's payload; one that cannot be read is of another version.
fn payload<T: serde::de::DeserializeOwned>(task: &Task) -> Result<T, StageError> {
    serde_json::from_value(task.payload.clone()).map_err(|error| StageError::transient("payload", error))
}
