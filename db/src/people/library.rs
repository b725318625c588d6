//! Finding somebody in what was indexed before, without decoding it again: a task compares vectors that are there.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};

use super::REFERENCES;
use crate::{
    error::DbError,
    ids::{PersonId, RunId, TaskId, UserId},
    tasks::{self, NewTask},
};

/// Looks for a person in the whole library, or decides again whose the faces of one run are; payload [`MatchPerson`].
pub const MATCH_PERSON: &str = "match_person";

/// Payload of [`MATCH_PERSON`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchPerson {
    #[serde(rename = "person_id")]
    Person(PersonId),
    #[serde(rename = "run_id")]
    Run(RunId),
}

/// Has the library looked through for a person. Where a task that has not begun is there, it is enough: it is held until this
/// transaction ends, and then sees what was written in it. Under [`super::lock`].
pub async fn request_match(connection: &mut PgConnection, owner: UserId, person: PersonId) -> Result<TaskId, DbError> {
    request(connection, owner, MatchPerson::Person(person)).await
}

/// Has it decided again whose the faces of a run are. Under [`super::lock`].
pub async fn request_match_of_run(connection: &mut PgConnection, owner: UserId, run: RunId) -> Result<TaskId, DbError> {
    request(connection, owner, MatchPerson::Run(run)).await
}

/// As [`request_match_of_run`], where the owner has decided something about faces of the video since the run was begun: its faces may
/// have been identified, or inherited, before that. Under [`super::lock`].
pub(crate) async fn request_match_if_decided(
    connection: &mut PgConnection,
    owner: UserId,
    run: RunId,
) -> Result<(), DbError> {
    let decided = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM face_decisions d JOIN runs r ON r.video_id = d.video_id
                          WHERE r.run_id = $1 AND d.owner_id = $2 AND d.created_at >= r.created_at) AS "decided!""#,
        run.0,
        owner.0
    )
    .fetch_one(&mut *connection)
    .await?;
    if decided {
        request_match_of_run(connection, owner, run).await?;
    }
    Ok(())
}

async fn request(connection: &mut PgConnection, owner: UserId, what: MatchPerson) -> Result<TaskId, DbError> {
    let payload = serde_json::to_value(what).map_err(|error| DbError::Queue(error.to_string()))?;
    let waiting = sqlx::query_scalar!(
        r#"SELECT task_id AS "task_id: TaskId" FROM tasks
           WHERE kind = $1 AND owner_id = $2 AND state = 'pending' AND attempts = 0 AND payload = $3 LIMIT 1 FOR NO KEY UPDATE"#,
        MATCH_PERSON,
        owner.0,
        payload
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(task) = waiting {
        return Ok(task);
    }
    let task = NewTask { kind: MATCH_PERSON, owner_id: Some(owner), video_id: None, payload, run_at: None };
    tasks::enqueue(connection, &task).await
}

/// Visible runs behind `after`, in order, at most `limit`: `(run, whether the person is in it or may be)`. Exact: every vector of
/// the model is compared with what the person is known by; of faces in videos that is the best of them.
pub async fn fitting_runs(
    db: impl PgExecutor<'_>,
    owner: UserId,
    person: PersonId,
    model: &str,
    same: f32,
    after: Option<RunId>,
    limit: i64,
) -> Result<Vec<(RunId, bool)>, DbError> {
    let rows = sqlx::query!(
        r#"WITH known AS MATERIALIZED (
               SELECT face_vec FROM face_photos WHERE person_id = $2 AND owner_id = $1 AND face_model = $3 AND state = 'accepted'
               UNION ALL
               (SELECT face_vec FROM face_decisions WHERE person_id = $2 AND owner_id = $1 AND face_model = $3 AND kind = 'assigned'
                ORDER BY quality DESC NULLS LAST, seq LIMIT $7)
           ), references_and_mean AS MATERIALIZED (
               SELECT face_vec FROM known UNION ALL SELECT avg(face_vec) FROM known HAVING count(*) > 0
           ), page AS MATERIALIZED (
               SELECT v.current_run_id AS run_id FROM videos v
               WHERE v.owner_id = $1 AND v.state <> 'deleted' AND v.current_run_id IS NOT NULL AND ($5::uuid IS NULL OR v.current_run_id > $5)
               ORDER BY v.current_run_id LIMIT $6
           )
           SELECT page.run_id AS "run_id!: RunId", EXISTS (
               SELECT FROM face_tracks t WHERE t.run_id = page.run_id AND t.owner_id = $1 AND t.face_model = $3
                 AND (t.person_id = $2 OR EXISTS (SELECT FROM references_and_mean k WHERE 1 - (t.face_vec <=> k.face_vec) >= $4::real - 0.001))) AS "fits!"
           FROM page ORDER BY page.run_id"#,
        owner.0,
        person.0,
        model,
        same,
        after.map(|run| run.0),
        limit,
        REFERENCES
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.run_id, row.fits)).collect())
}

/// How many videos of the owner can be searched.
pub async fn visible_runs(db: impl PgExecutor<'_>, owner: UserId) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM videos WHERE owner_id = $1 AND state <> 'deleted' AND current_run_id IS NOT NULL"#,
        owner.0
    )
    .fetch_one(db)
    .await?)
}

/// The face model of a run that is still there; none where nobody was seen.
pub async fn model_of_run(db: impl PgExecutor<'_>, owner: UserId, run: RunId) -> Result<Option<String>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT face_model FROM face_tracks WHERE run_id = $1 AND owner_id = $2 LIMIT 1",
        run.0,
        owner.0
    )
    .fetch_optional(db)
    .await?)
}
