//! A person who is deleted leaves nothing, and another owner's people do not exist.

use heimdex_db::{
    DbError,
    audit::By,
    people::{self, Edit, FaceAt},
};

use crate::library::{Library, SAME, consent, face, scene_id, user};

#[tokio::test]
async fn deleting_a_person_leaves_no_vector_of_theirs_and_touches_nobody_else() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let ben = library.person("Ben", &[90.0, 100.0]).await;
    let (_, run) = library.indexed(&[face(0, 5.0), face(1, 95.0)]).await;
    let mut tx = library.tx().await;
    people::delete(&mut tx, library.owner, ann, &By::command()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [None, Some(ben)]);
    assert_eq!(library.count("SELECT count(*) FROM face_photos").await, 2);
    assert_eq!(library.count("SELECT count(*) FROM face_tracks WHERE face_vec IS NULL AND cover_key IS NULL").await, 1);
    let removed: String =
        sqlx::query_scalar("SELECT string_agg(payload::text, ' ') FROM tasks WHERE kind = 'delete_objects'")
            .fetch_one(library.pool())
            .await
            .unwrap();
    assert!(removed.contains(&format!("p/{}/{ann}/", library.owner)) && removed.contains("/faces/0.jpg"), "{removed}");
    assert!(!removed.contains("/faces/1.jpg"), "{removed}");
    // Without a vector nobody can be found in it again.
    library.identify(run).await;
    assert_eq!(library.whose(run).await, [None, Some(ben)]);
}

#[tokio::test]
async fn another_owners_people_and_faces_do_not_exist() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let (video, run) = library.indexed(&[face(0, 5.0)]).await;
    let eve = user(library.pool()).await;
    let by = By::command();
    let mut tx = library.tx().await;
    let at = FaceAt { scene_id: scene_id(video, 0), track_no: None };
    let edit = Edit { display_name: Some("Eve".into()), consent: None };
    assert!(matches!(people::find(&mut *tx, eve, ann).await, Err(DbError::NotFound)));
    assert!(matches!(people::edit(&mut tx, eve, ann, &edit, &by).await, Err(DbError::NotFound)));
    assert!(matches!(people::delete(&mut tx, eve, ann, &by).await, Err(DbError::NotFound)));
    assert!(matches!(people::reject(&mut tx, eve, ann, at).await, Err(DbError::NotFound)));
    assert!(matches!(people::split(&mut tx, eve, ann, &[at], &by).await, Err(DbError::NotFound)));
    let hers = people::create(&mut tx, eve, "Eve", Some(&consent()), &by).await.unwrap();
    assert!(matches!(people::merge(&mut tx, eve, hers, &[ann], &by).await, Err(DbError::NotFound)));
    assert!(matches!(people::merge(&mut tx, eve, ann, &[hers], &by).await, Err(DbError::NotFound)));
    assert!(people::identify(&mut tx, eve, run, &SAME).await.is_ok_and(|found| found == people::Identified::default()));
    assert!(people::in_scenes(&mut *tx, eve, run, None).await.unwrap().is_empty());
    assert!(people::photos(&mut *tx, eve, ann).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(library.whose(run).await, [Some(ann)]);
}
