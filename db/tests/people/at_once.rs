//! Indexings and enrolments that happen at the same time.

use heimdex_db::{RunId, people, runs};

use crate::library::{Library, MODEL, SAME, accept, face};

#[tokio::test]
async fn two_indexings_at_once_make_one_cluster() {
    let library = Library::new().await;
    let mut runs = Vec::new();
    for _ in 0..6 {
        let video = library.video().await;
        let run = library.run(video, &[face(0, 0.0)]).await;
        // As a first run is, from `align_merge` on.
        let mut tx = library.tx().await;
        runs::show_first(&mut tx, run, video).await.unwrap();
        tx.commit().await.unwrap();
        runs.push(run);
    }
    identify_at_once(&library, &runs).await;
    assert_eq!(library.clusters().await, 1);
}

async fn identify_at_once(library: &Library, runs: &[RunId]) {
    let mut all = tokio::task::JoinSet::new();
    for &run in runs {
        let (pool, owner) = (library.pool().clone(), library.owner);
        all.spawn(async move {
            let mut tx = pool.begin().await.unwrap();
            people::identify(&mut tx, owner, run, &SAME).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn enrolling_and_indexing_at_once_lose_nobody() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0]).await;
    let video = library.video().await;
    let run = library.run(video, &[face(0, 0.0)]).await;
    let mut indexing = library.tx().await;
    people::identify(&mut indexing, library.owner, run, &SAME).await.unwrap();
    // The second photo is accepted while the indexing has not committed: it waits for it.
    let (pool, owner) = (library.pool().clone(), library.owner);
    let enrolling = tokio::spawn(async move {
        let mut tx = pool.begin().await.unwrap();
        accept(&mut tx, owner, ann, 10.0, MODEL).await;
        tx.commit().await.unwrap();
    });
    runs::show_first(&mut indexing, run, video).await.unwrap();
    indexing.commit().await.unwrap();
    enrolling.await.unwrap();
    // The task that the enrolment asked for sees the run.
    let fits = people::fitting_runs(library.pool(), library.owner, ann, MODEL, SAME.same, None, 10).await.unwrap();
    assert_eq!(fits, [(run, true)]);
    assert_eq!(library.count("SELECT count(*) FROM tasks WHERE kind = 'match_person' AND state = 'pending'").await, 1);
}
