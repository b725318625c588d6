//! Finding a person in what was indexed before: vectors that are there are compared, nothing is decoded.
//! Reads: payload [`MatchPerson`], vectors. Writes: whose the faces are. Again: the same answer.

use heimdex_db::{
    PersonId, RunId, UserId,
    ledger::Task,
    people::{self, MATCH_PERSON, MatchPerson, Thresholds},
};

use crate::{
    fault::{self, Point},
    stage::{Outcome, StageContext, StageError},
};

/// Runs that are looked up at once.
const PAGE: i64 = 100;

pub async fn run(cx: &StageContext, task: &Task) -> Result<Outcome, StageError> {
    let what: MatchPerson = super::payload(task)?;
    let owner = task.owner_id.ok_or_else(|| StageError::missing("the task's owner"))?;
    let Some(faces) = cx.models().face().await? else {
        let why = anyhow::anyhow!("this worker has no face model; HEIMDEX_FACE_MODEL and FEATURE_FACES decide");
        return Err(StageError::transient("no_face_model", why));
    };
    let limits = faces.thresholds();
    let thresholds = Thresholds { same: limits.same, margin: limits.margin };
    match what {
        MatchPerson::Run(run) => decide_again(cx, owner, run, faces.id(), &thresholds).await?,
        MatchPerson::Person(person) => look_through(cx, owner, person, faces.id(), &thresholds).await?,
    }
    Ok(Outcome::done())
}

/// Goes over the owner's library page by page; each run that has somebody like the person is decided in a transaction of its own.
async fn look_through(
    cx: &StageContext,
    owner: UserId,
    person: PersonId,
    model: &str,
    thresholds: &Thresholds,
) -> Result<(), StageError> {
    let all = usize::try_from(people::visible_runs(cx.db(), owner).await?).unwrap_or(0);
    let (mut after, mut done) = (None, 0);
    loop {
        let page = people::fitting_runs(cx.db(), owner, person, model, thresholds.same, after, PAGE).await?;
        let Some(&(last, _)) = page.last() else { return Ok(()) };
        for (run, fits) in page {
            if cx.cancel.is_cancelled() {
                return Err(StageError::Cancelled);
            }
            if fits {
                decide_again(cx, owner, run, model, thresholds).await?;
                fault::at(MATCH_PERSON, Point::Middle).await;
            }
            done += 1;
            cx.progress_between(0, 99, done.min(all), all);
        }
        after = Some(last);
    }
}

async fn decide_again(
    cx: &StageContext,
    owner: UserId,
    run: RunId,
    model: &str,
    thresholds: &Thresholds,
) -> Result<(), StageError> {
    // The thresholds are those of this model; a run of another waits to be indexed again.
    if people::model_of_run(cx.db(), owner, run).await?.as_deref() != Some(model) {
        return Ok(());
    }
    let mut tx = cx.fenced_tx().await?;
    match people::identify(&mut tx, owner, run, thresholds).await {
        // Replaced or purged meanwhile.
        Err(heimdex_db::DbError::NotFound) => return Ok(()),
        found => {
            found?;
        }
    }
    cx.commit(tx).await
}
