//! Photos: what they take, how many there are, and what becomes of those that are not good.

use heimdex_db::{
    DbError,
    audit::By,
    keys,
    people::{self, Edit},
};

use crate::library::{Library, face};

#[tokio::test]
async fn one_photo_is_not_enough_and_no_consent_is_no_photo() {
    let library = Library::new().await;
    library.person("Ann", &[0.0]).await;
    let (_, run) = library.indexed(&[face(0, 0.0)]).await;
    assert_eq!(library.clusters().await, 1);
    let mut tx = library.tx().await;
    let shy = people::create(&mut tx, library.owner, "Shy", None, &By::command()).await.unwrap();
    let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: shy };
    let refused = people::add_photo(&mut tx, library.owner, &new, &By::command()).await;
    assert!(matches!(refused, Err(DbError::Conflict("consent_required"))), "{refused:?}");
    let cluster = library.whose(run).await[0].unwrap();
    let edit = Edit { display_name: Some("Ann too".into()), consent: None };
    let refused = people::edit(&mut tx, library.owner, cluster, &edit, &By::command()).await;
    assert!(matches!(refused, Err(DbError::Conflict("consent_required"))), "{refused:?}");
}

#[tokio::test]
async fn a_copy_that_a_check_may_have_made_goes_with_its_photo() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[]).await;
    let mut sent = Vec::new();
    // Each is rejected without a verdict: its row knows what was sent, and of no copy.
    for _ in 0..11 {
        let mut tx = library.tx().await;
        let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: ann };
        people::add_photo(&mut tx, library.owner, &new, &By::command()).await.unwrap();
        tx.commit().await.unwrap();
        sqlx::query("UPDATE tasks SET state = 'failed' WHERE kind = 'check_photo'")
            .execute(library.pool())
            .await
            .unwrap();
        sent.push(keys::sent_photo(library.owner, ann, new.photo_id));
    }
    let removed = async || -> String {
        sqlx::query_scalar("SELECT string_agg(payload::text, ' ') FROM tasks WHERE kind = 'delete_objects'")
            .fetch_one(library.pool())
            .await
            .unwrap()
    };
    let (first, last) = (keys::checked_photo(&sent[0]), keys::checked_photo(&sent[10]));
    let now = removed().await;
    assert!(now.contains(&first) && !now.contains(&last), "the oldest made room: {now}");
    let mut tx = library.tx().await;
    people::delete(&mut tx, library.owner, ann, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(removed().await.contains(&last));
}

#[tokio::test]
async fn a_check_that_fails_for_good_does_not_leave_the_photo_waiting() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[]).await;
    let mut tx = library.tx().await;
    let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: ann };
    people::add_photo(&mut tx, library.owner, &new, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    sqlx::query("UPDATE tasks SET state = 'failed' WHERE kind = 'check_photo'").execute(library.pool()).await.unwrap();
    let photos = people::photos(library.pool(), library.owner, ann).await.unwrap();
    assert_eq!((photos[0].state.as_str(), photos[0].code.as_deref()), ("rejected", Some("not_checked")));
}

#[tokio::test]
async fn ten_photos_are_enough_however_many_are_sent_at_once() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[]).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..14 {
        let (pool, owner) = (library.pool().clone(), library.owner);
        all.spawn(async move {
            let mut tx = pool.begin().await.unwrap();
            let new = people::NewPhoto { photo_id: heimdex_db::PhotoId::new(), person_id: ann };
            let added = people::add_photo(&mut tx, owner, &new, &By::command()).await;
            tx.commit().await.unwrap();
            match added {
                Ok(_) => true,
                Err(DbError::Conflict("too_many_photos")) => false,
                Err(other) => panic!("{other:?}"),
            }
        });
    }
    let mut taken = 0;
    while let Some(added) = all.join_next().await {
        taken += i32::from(added.unwrap());
    }
    assert_eq!(taken, 10);
}
