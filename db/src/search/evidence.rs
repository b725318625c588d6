//! Where in the picture it is that a scene was found by: the writing, or the face. Asked for the hits of a page only.

use sqlx::{PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use super::{Candidate, places, sound};
use crate::{
    error::DbError,
    ids::{RunId, SceneId, UserId},
    moments::screen_texts::Corners,
};

/// What shows that a scene was found rightly.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub run_id: RunId,
    pub scene_id: SceneId,
    /// What is written, or who it is.
    pub quote: String,
    pub at_ms: i64,
    /// In the picture of that time.
    pub corners: Corners,
}

/// Where lines stand that were found; `lines` are those of `found`, in its order.
pub async fn writing(
    db: impl PgExecutor<'_>,
    owner: UserId,
    found: &[Candidate],
    lines: &[String],
) -> Result<Vec<Evidence>, DbError> {
    let (runs, scenes) = places(found);
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (s.run_id, s.scene_id) s.run_id AS "run_id: RunId", s.scene_id AS "scene_id: SceneId", s.text, s.start_ms,
                  s.box AS "corners: Json<Corners>"
           FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS f (run_id, scene_id, line)
           JOIN screen_texts s ON s.run_id = f.run_id AND s.scene_id = f.scene_id AND s.text = f.line
           WHERE s.owner_id = $1 ORDER BY s.run_id, s.scene_id, s.start_ms, s.text_id"#,
        owner.0,
        &runs,
        &scenes,
        lines
    )
    .fetch_all(db)
    .await?;
    let evidence = rows.into_iter().map(|row| Evidence {
        run_id: row.run_id,
        scene_id: row.scene_id,
        quote: row.text,
        at_ms: row.start_ms,
        corners: row.corners.0,
    });
    Ok(evidence.collect())
}

/// The best face in each scene of somebody whom the query names, as [`super::who`] understands names: of somebody whose whole name it has
/// rather than of somebody with one word of it.
pub async fn faces(pool: &PgPool, owner: UserId, query: &str, found: &[Candidate]) -> Result<Vec<Evidence>, DbError> {
    let (runs, scenes) = places(found);
    let sounding = sound::heard_in(pool, owner, &sound::Query::sentence(query)).await?;
    let heard: Vec<Uuid> = sounding.iter().map(|one| one.person_id.0).collect();
    let heard_whole: Vec<Uuid> =
        sounding.iter().filter(|one| one.weight >= sound::WHOLE).map(|one| one.person_id.0).collect();
    let rows = sqlx::query!(
        r#"SELECT DISTINCT ON (d.run_id, d.scene_id) d.run_id AS "run_id: RunId", d.scene_id AS "scene_id: SceneId", d.at_ms,
                  p.display_name AS "name!", (d.box ->> 'x')::real AS "x!", (d.box ->> 'y')::real AS "y!",
                  (d.box ->> 'width')::real AS "width!", (d.box ->> 'height')::real AS "height!"
           FROM unnest($2::uuid[], $3::uuid[]) AS f (run_id, scene_id)
           JOIN face_tracks t ON t.run_id = f.run_id AND t.scene_id = f.scene_id
           JOIN face_profiles p ON p.person_id = t.person_id
           JOIN face_detections d ON d.run_id = t.run_id AND d.track_no = t.track_no
           CROSS JOIN (SELECT ' ' || regexp_replace(lower(unaccent($4)), '[^[:alnum:]]+', ' ', 'g') || ' ' AS words) AS q
           CROSS JOIN LATERAL (SELECT btrim(regexp_replace(lower(unaccent(p.display_name)), '[^[:alnum:]]+', ' ', 'g')) AS name) AS n
           CROSS JOIN LATERAL (SELECT n.name <> '' AND (strpos(q.words, ' ' || n.name || ' ') > 0
               OR n.name ~ '^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af ]{2,}$' AND strpos(replace(q.words, ' ', ''), replace(n.name, ' ', '')) > 0) OR p.person_id = ANY($5) AS whole) AS named
           WHERE t.owner_id = $1 AND p.owner_id = $1 AND (named.whole OR p.person_id = ANY($6) OR EXISTS (
               SELECT FROM regexp_split_to_table(n.name, ' +') AS word WHERE length(word) >= 3 AND strpos(q.words, ' ' || word || ' ') > 0))
           ORDER BY d.run_id, d.scene_id, named.whole DESC, d.quality DESC, d.at_ms"#,
        owner.0,
        &runs,
        &scenes,
        query,
        &heard_whole,
        &heard
    )
    .fetch_all(pool)
    .await?;
    let evidence = rows.into_iter().map(|row| {
        let (left, top, right, bottom) = (row.x, row.y, row.x + row.width, row.y + row.height);
        Evidence {
            run_id: row.run_id,
            scene_id: row.scene_id,
            quote: row.name,
            at_ms: row.at_ms,
            corners: [[left, top], [right, top], [right, bottom], [left, bottom]],
        }
    });
    Ok(evidence.collect())
}
