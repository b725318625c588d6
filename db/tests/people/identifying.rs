//! Whose the faces of an indexing are: people who are known, and clusters of those who are not.

use heimdex_db::{RunId, maintenance, people};
use uuid::Uuid;

use crate::library::{Library, MODEL, SAME, face, scene_id};

#[tokio::test]
async fn an_enrolled_person_is_found_and_nobody_else_is_taken_for_them() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let ben = library.person("Ben", &[90.0, 100.0]).await;
    let (video, run) = library.indexed(&[face(0, 5.0), face(1, 95.0), face(2, 180.0), face(2, 50.0)]).await;
    let whose = library.whose(run).await;
    assert_eq!((whose[0], whose[1]), (Some(ann), Some(ben)));
    let known = [Some(ann), Some(ben), None];
    assert!(!known.contains(&whose[2]) && !known.contains(&whose[3]), "{whose:?}");
    let scenes = people::scenes_of(library.pool(), library.owner, ann, None, 10).await.unwrap();
    assert_eq!(scenes.iter().map(|s| s.scene_id).collect::<Vec<_>>(), [scene_id(video, 0)]);
    assert!((scenes[0].share - 0.5).abs() < 1e-6, "five of ten pictures");
    assert!(scenes[0].tracks[0].similarity.unwrap() > 0.99);
}

#[tokio::test]
async fn unknown_faces_become_clusters_over_the_library_and_go_with_their_last_video() {
    let library = Library::new().await;
    let (_, first) = library.indexed(&[face(0, 0.0), face(1, 8.0), face(2, 120.0)]).await;
    let (second_video, second) = library.indexed(&[face(0, 4.0), face(1, 240.0)]).await;
    let (one, two) = (library.whose(first).await, library.whose(second).await);
    assert_eq!((one[0], one[0]), (one[1], two[0]));
    assert!(one[0] != one[2] && two[1] != one[0] && two[1] != one[2]);
    assert_eq!(library.clusters().await, 3);
    sqlx::query("UPDATE videos SET state = 'deleted', purge_after = now() - interval '1 second' WHERE video_id = $1")
        .bind(second_video)
        .execute(library.pool())
        .await
        .unwrap();
    let mut tx = library.tx().await;
    assert!(maintenance::purge_video(&mut tx, second_video).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(library.clusters().await, 2);
}

#[tokio::test]
async fn doing_it_again_and_indexing_again_give_the_same() {
    let library = Library::new().await;
    library.person("Ann", &[0.0, 10.0]).await;
    let faces = [face(0, 2.0), face(0, 100.0), face(1, 110.0), face(1, 200.0), face(2, 30.0), face(2, 131.0)];
    let (video, run) = library.indexed(&faces).await;
    library.indexed(&[face(0, 105.0), face(1, 300.0)]).await;
    let all = "SELECT track_no, person_id, similarity FROM face_tracks WHERE run_id = $1 ORDER BY 1";
    let read = async |run: RunId| -> Vec<(i32, Option<Uuid>, Option<f32>)> {
        sqlx::query_as(all).bind(run).fetch_all(library.pool()).await.unwrap()
    };
    let before = read(run).await;
    library.identify(run).await;
    library.identify(run).await;
    assert_eq!(read(run).await, before);
    let again = library.index_again(video, &faces).await;
    let people = |rows: Vec<(i32, Option<Uuid>, Option<f32>)>| rows.into_iter().map(|row| row.1).collect::<Vec<_>>();
    assert_eq!(people(read(again).await), people(before));
}

#[tokio::test]
async fn an_attempt_that_died_after_its_commit_leaves_no_second_cluster() {
    let library = Library::new().await;
    let (video, run) = library.indexed(&[face(0, 0.0)]).await;
    let before = library.whose(run).await;
    // The stage replaces its rows and identifies once more.
    sqlx::query("UPDATE face_tracks SET person_id = NULL, similarity = NULL WHERE run_id = $1")
        .bind(run)
        .execute(library.pool())
        .await
        .unwrap();
    library.identify(run).await;
    assert_eq!((library.whose(run).await, library.clusters().await), (before, 1));
    library.show(video, run).await;
}

#[tokio::test]
async fn a_named_cluster_is_known_by_its_faces_in_videos_to_come() {
    let library = Library::new().await;
    let (video, run) = library.indexed(&[face(0, 0.0), face(1, 20.0)]).await;
    let cluster = library.whose(run).await[0].unwrap();
    library.name(cluster, "Ann").await;
    let (_, other) = library.indexed(&[face(0, 40.0), face(1, 90.0)]).await;
    assert_eq!(library.whose(other).await[0], Some(cluster), "20° from the nearest face of hers");
    assert_ne!(library.whose(other).await[1], Some(cluster));
    // Another indexing, with another model: the faces are hers still, and she is known by them in its space.
    let newer = library.run_of(video, &[face(0, 200.0), face(1, 210.0)], "another-model").await;
    library.identify(newer).await;
    library.show(video, newer).await;
    assert_eq!(library.whose(newer).await, [Some(cluster), Some(cluster)]);
    let third = library.run_of(library.video().await, &[face(0, 205.0)], "another-model").await;
    library.identify(third).await;
    assert_eq!(library.whose(third).await, [Some(cluster)]);
}

#[tokio::test]
async fn vectors_of_different_models_are_never_compared() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let video = library.video().await;
    let run = library.run_of(video, &[face(0, 0.0)], "another-model").await;
    library.identify(run).await;
    library.show(video, run).await;
    assert_ne!(library.whose(run).await[0], Some(ann));
    let (_, mine) = library.indexed(&[face(0, 90.0)]).await;
    let theirs = library.run_of(library.video().await, &[face(0, 90.0)], "another-model").await;
    library.identify(theirs).await;
    assert_ne!(library.whose(mine).await, library.whose(theirs).await);
    assert_eq!(
        people::fitting_runs(library.pool(), library.owner, ann, MODEL, SAME.same, None, 10)
            .await
            .unwrap()
            .iter()
            .filter(|r| r.1)
            .count(),
        0
    );
}

#[tokio::test]
async fn a_face_in_one_picture_of_many_is_not_somebody_in_the_scene() {
    let library = Library::new().await;
    let ann = library.person("Ann", &[0.0, 10.0]).await;
    let (_, run) = library.indexed(&[face(0, 5.0)]).await;
    let in_it = async || people::scenes_of(library.pool(), library.owner, ann, None, 10).await.unwrap().len();
    assert_eq!(in_it().await, 1);
    sqlx::query("UPDATE face_tracks SET faces = 1, frames = 10, end_ms = start_ms WHERE run_id = $1")
        .bind(run)
        .execute(library.pool())
        .await
        .unwrap();
    assert_eq!(in_it().await, 0);
    // One of two pictures is half of the scene.
    sqlx::query("UPDATE face_tracks SET frames = 2 WHERE run_id = $1").bind(run).execute(library.pool()).await.unwrap();
    assert_eq!(in_it().await, 1);
}
