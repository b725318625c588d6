//! `heimdex-api sync-users`: what the webhook may have lost. Every user of the project is brought up to date, and who is
//! gone there becomes a tombstone here.

use std::collections::HashSet;

use heimdex_db::{
    DbError, PgPool,
    audit::{Actor, By},
    users,
};
use uuid::Uuid;

use super::{
    Applied,
    admin_api::{AdminApi, AdminError},
};

/// Who is looked up at once among those that are missing in the project's list.
const MISSING_A_PAGE: i64 = 500;
/// More missing accounts than this, and more than a tenth, look like the wrong project.
const FEW: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("the admin API")]
    Admin(#[from] AdminError),
    #[error("the database")]
    Db(#[from] DbError),
    #[error(
        "{missing} of {known} accounts are not in this project; nothing was removed. Is SUPABASE_URL the right project? Say --remove-many if it is"
    )]
    TooManyMissing { missing: usize, known: usize },
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Users the project has.
    pub seen: usize,
    /// Up to date here now.
    pub kept: usize,
    /// Gone there, tombstones here now.
    pub buried: usize,
    /// Anonymous.
    pub ignored: usize,
}

/// Brings everybody up to date. Safe to repeat, and to run beside the API and the webhook.
pub async fn run(pool: &PgPool, api: &AdminApi, remove_many: bool) -> Result<Report, SyncError> {
    let by = By { actor: Actor::Project, ip: None, request_id: None };
    let mut report = Report::default();
    let mut seen = HashSet::new();
    for number in 1.. {
        let page = api.page(number).await?;
        if page.is_empty() {
            break;
        }
        for user in &page {
            // Users who sign up meanwhile push others onto the next page: they come twice.
            if !seen.insert(user.id()) {
                continue;
            }
            let mut tx = pool.begin().await.map_err(DbError::from)?;
            let applied = user.apply(&mut tx, &by).await?;
            tx.commit().await.map_err(DbError::from)?;
            match applied {
                Applied::Kept => report.kept += 1,
                Applied::Buried => report.buried += 1,
                Applied::Ignored => report.ignored += 1,
            }
        }
        tracing::info!(page = number, seen = seen.len(), "users brought up to date");
    }
    report.seen = seen.len();
    report.buried += remove_missing(pool, api, &seen, remove_many, &by).await?;
    Ok(report)
}

/// Who was not in the list is asked for by id: only a clear "no such user" removes anybody.
async fn remove_missing(
    pool: &PgPool,
    api: &AdminApi,
    seen: &HashSet<Uuid>,
    remove_many: bool,
    by: &By,
) -> Result<usize, SyncError> {
    let (mut missing, mut known, mut after) = (Vec::new(), 0, None);
    loop {
        let subjects = users::live_subjects(pool, after, MISSING_A_PAGE).await?;
        let Some(last) = subjects.last() else { break };
        after = Some(*last);
        known += subjects.len();
        missing.extend(subjects.into_iter().filter(|subject| !seen.contains(subject)));
    }
    if missing.len() > FEW && missing.len() * 10 > known && !remove_many {
        return Err(SyncError::TooManyMissing { missing: missing.len(), known });
    }
    let mut buried = 0;
    for subject in missing {
        let found = api.user(subject).await?;
        let mut tx = pool.begin().await.map_err(DbError::from)?;
        match found {
            None => {
                users::bury_subject(&mut tx, subject, by).await?;
                buried += 1;
            }
            Some(user) => {
                user.apply(&mut tx, by).await?;
            }
        }
        tx.commit().await.map_err(DbError::from)?;
    }
    Ok(buried)
}
