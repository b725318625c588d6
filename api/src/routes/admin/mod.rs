//! Looking after the installation. Operators and admins only, by the table, with a session that is alive at this moment.

pub mod audit;
pub mod events;
pub mod failures;
pub mod job;
pub mod jobs;
pub mod queues;
pub mod stages;
pub mod storage;
pub mod users;
pub mod videos;
pub mod workers;

use heimdex_db::DbError;

use crate::error::{ApiError, Code};

/// Why the ledger will not do what an operator asks for, in a sentence.
fn refused(error: DbError) -> ApiError {
    let code = match error {
        DbError::Conflict(code) => code,
        other => return other.into(),
    };
    let why = match code {
        "job_completed" => "This stage is done. To do it again, retry from this stage.",
        "run_active" => "The video is being indexed already.",
        "run_ended" => "The run has ended; there is nothing to cancel.",
        "run_superseded" => "A newer run of this video has taken this one's place.",
        "video_deleted" => "The video has been deleted.",
        "no_run_active" => "Nothing is being done for this video.",
        "task_active" => "The same is being done for this video already.",
        _ => return DbError::Conflict(code).into(),
    };
    ApiError::new(if code == "run_active" { Code::RunActive } else { Code::Conflict })
        .detail(why)
        .with("conflict", code)
}
