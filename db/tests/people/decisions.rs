//! What the owner knows better, which holds for every indexing to come.

use heimdex_db::{
    DbError, RunId,
    audit::By,
    people::{self, Edit, FaceAt},
};

use crate::library::{Face, Library, consent, face, scene_id};

#[tokio::test]
async fn what_was_refused_stays_refused_for_that_face_alone() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    // Twins, side by side.
    let twins = [face(0, 0.0), Face { scene: 0, left: false, degrees: 5.0 }, face(1, 3.0)];
    let (video, run) = library.indexed(&twins).await;
    assert_eq!(library.whose(run).await, [Some(ann); 3]);
    let mut tx = library.tx().await;
    let right = FaceAt { scene_id: scene_id(video, 0), track_no: Some(1) };
    people::reject(&mut tx, library.owner, ann, right).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [Some(ann), None, Some(ann)]);
    library.identify(run).await;
    let after = library.whose(run).await;
    assert_eq!((after[0], after[2]), (Some(ann), Some(ann)));
    assert!(after[1].is_some() && after[1] != Some(ann), "somebody else: {after:?}");
    // In another run, with its tracks in another order.
    let mut turned = twins;
    turned.reverse();
    let again = library.index_again(video, &turned).await;
    assert_eq!(library.whose(again).await, [Some(ann), after[1], Some(ann)]);
    // Asked again about a face that is not hers any more.
    let mut tx = library.tx().await;
    let gone = FaceAt { scene_id: scene_id(video, 0), track_no: Some(1) };
    assert!(matches!(people::reject(&mut tx, library.owner, ann, gone).await, Err(DbError::NotFound)));
}

#[tokio::test]
async fn merges_and_splits_survive_another_indexing() {
    let library = Library::new().await;
    let faces = [face(0, 0.0), face(1, 60.0), face(2, 120.0), face(2, 5.0)];
    let (video, run) = library.indexed(&faces[..3]).await;
    let whose = library.whose(run).await;
    let (front, side, other) = (whose[0].unwrap(), whose[1].unwrap(), whose[2].unwrap());
    library.name(front, "Ann").await;
    let mut tx = library.tx().await;
    people::merge(&mut tx, library.owner, front, &[side], &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [Some(front), Some(front), Some(other)]);
    let again = library.index_again(video, &faces[..3]).await;
    assert_eq!(library.whose(again).await, [Some(front), Some(front), Some(other)]);

    let mut tx = library.tx().await;
    let at = FaceAt { scene_id: scene_id(video, 1), track_no: None };
    let split = people::split(&mut tx, library.owner, front, &[at], &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    let again = library.index_again(video, &faces[..3]).await;
    assert_eq!(library.whose(again).await, [Some(front), Some(split), Some(other)]);
    // The part that was split off is a person who can be named.
    library.name(split, "Ben").await;
    let (_, third) = library.indexed(&[face(0, 62.0), face(1, 2.0)]).await;
    assert_eq!(library.whose(third).await, [Some(split), Some(front)]);
}

#[tokio::test]
async fn what_is_decided_while_a_video_is_indexed_again_outlives_its_commit() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let faces = [face(0, 0.0), face(1, 5.0)];
    let (video, _) = library.indexed(&faces).await;
    let newer = library.run(video, &faces).await;
    library.identify(newer).await;
    assert_eq!(library.whose(newer).await, [Some(ann); 2]);
    // The owner sees the run before it, and decides about that one.
    let mut tx = library.tx().await;
    let at = |scene| FaceAt { scene_id: scene_id(video, scene), track_no: None };
    let split = people::split(&mut tx, library.owner, ann, &[at(0)], &By::command()).await.unwrap();
    people::reject(&mut tx, library.owner, ann, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    library.show(video, newer).await;
    let asked = async |run: RunId| -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM tasks WHERE kind = 'match_person' AND payload ->> 'run_id' = $1")
            .bind(run.to_string())
            .fetch_one(library.pool())
            .await
            .unwrap()
    };
    assert_eq!(asked(newer).await, 1, "its faces are decided again");
    library.identify(newer).await;
    let whose = library.whose(newer).await;
    assert_eq!(whose[0], Some(split));
    assert!(whose[1].is_some() && whose[1] != Some(ann), "{whose:?}");
    // Where nothing was decided, nothing is asked for.
    let last = library.index_again(video, &faces).await;
    assert_eq!(asked(last).await, 0);
}

#[tokio::test]
async fn two_named_people_are_one_only_when_the_owner_says_so() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let anna = library.person("Anna", &[1.0, 11.0]).await;
    let (_, run) = library.indexed(&[face(0, 5.0)]).await;
    let whose = library.whose(run).await[0];
    assert!(whose != Some(ann) && whose != Some(anna), "neither is ahead of the other");
    assert_eq!(library.count("SELECT count(*) FROM face_profiles WHERE display_name IS NOT NULL").await, 2);
    let mut tx = library.tx().await;
    people::merge(&mut tx, library.owner, ann, &[anna], &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    library.identify(run).await;
    assert_eq!(library.whose(run).await, [Some(ann)]);
    assert_eq!(people::photos(library.pool(), library.owner, ann).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_name_and_a_consent_may_come_from_different_people_and_no_name_comes_without() {
    let library = Library::new().await;
    let (_, run) = library.indexed(&[face(0, 0.0), face(1, 60.0)]).await;
    let whose = library.whose(run).await;
    let (one, other) = (whose[0].unwrap(), whose[1].unwrap());
    let by = By::command();
    let mut tx = library.tx().await;
    let shy = people::create(&mut tx, library.owner, "Shy", None, &by).await.unwrap();
    tx.commit().await.unwrap();
    for (into, from) in [(shy, one), (one, shy)] {
        let mut tx = library.tx().await;
        let refused = people::merge(&mut tx, library.owner, into, &[from], &by).await;
        assert!(matches!(refused, Err(DbError::Conflict("consent_required"))), "{refused:?}");
        tx.rollback().await.unwrap();
    }
    let mut tx = library.tx().await;
    let agreed = Edit { display_name: None, consent: Some(consent()) };
    people::edit(&mut tx, library.owner, other, &agreed, &by).await.unwrap();
    people::merge(&mut tx, library.owner, one, &[other, shy], &by).await.unwrap();
    tx.commit().await.unwrap();
    let row = people::find(library.pool(), library.owner, one).await.unwrap();
    assert_eq!((row.display_name.as_deref(), row.consent_note), (Some("Shy"), Some(consent().note)));
    assert!(people::consent_of(library.pool(), library.owner, one).await.unwrap().is_some());
}
