//! Work that is no stage: one file a kind, under the same ledger rules as the stages.

pub mod delete_objects;
pub mod purge_account;
pub mod purge_video;
pub mod send_mail;

use std::{sync::Arc, time::Duration};

use heimdex_db::{mail::SEND_MAIL, tasks::TaskAttempt};

use crate::stage::{Outcome, Services, StageError};

/// Removes a deleted video's objects and rows.
pub const PURGE_VIDEO: &str = "purge_video";
/// Removes what a deleted account has left.
pub const PURGE_ACCOUNT: &str = heimdex_db::users::PURGE_TASK;
/// Removes objects that are nobody's any more; what `commit` could not remove itself.
pub const DELETE_OBJECTS: &str = "delete_objects";

/// Of any task.
pub const DEADLINE: Duration = Duration::from_secs(3600);

pub async fn run(services: Arc<Services>, task: TaskAttempt) -> Result<Outcome, StageError> {
    match task.kind.as_str() {
        PURGE_VIDEO => purge_video::run(&services, &task).await,
        PURGE_ACCOUNT => purge_account::run(&services, &task).await,
        DELETE_OBJECTS => delete_objects::run(&services, &task).await,
        SEND_MAIL => send_mail::run(&services, &task).await,
        kind => Err(StageError::Rejected {
            code: "unknown_kind".into(),
            message: "This version of Heimdex does not know this kind of work.".into(),
            detail: format!("no such kind of task: {kind}"),
        }),
    }
}
