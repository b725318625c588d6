//! Who is there: scenes of people whose names are in the query.
//!
//! A name counts by its whole words, whatever their case and accents; in scripts without spaces between words, as a part of the query. The
//! whole name counts fully, one word of it (a first name of three letters or more) by half, a longer name that is written nearly so, as a
//! whole and in a word of five letters or more by itself, by a little less; the more of the named people a scene has, and the more they
//! are seen in it, the better. A name that is written in another script counts by how surely it is heard ([`sound`]).

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    Candidate, Filters, Planning, bounded, push_filters, push_visible,
    sound::{self, Sounding},
};
use crate::{error::DbError, ids::UserId};

/// The best scenes of the people that a query names; none when it names nobody.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Candidate>, DbError> {
    let mut tx = bounded(pool, deadline, Planning::InOrder).await?;
    let sounding = sound::heard_in(&mut *tx, owner, &sound::Query::sentence(query)).await?;
    let mut sql = QueryBuilder::<Postgres>::new("");
    push_statement(&mut sql, owner, query, &sounding, filters, limit);
    let found = sql.build_query_as().fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(found)
}

/// Of somebody who is nearly everywhere, the scenes are looked at in which they are seen most, of those that pass the filters.
pub(super) fn push_statement(
    sql: &mut QueryBuilder<Postgres>,
    owner: UserId,
    query: &str,
    sounding: &[Sounding],
    filters: &Filters,
    limit: i64,
) {
    let (heard, weights): (Vec<Uuid>, Vec<f64>) = sounding.iter().map(|one| (one.person_id.0, one.weight)).unzip();
    sql.push(
        r"WITH q AS MATERIALIZED (
            SELECT ' ' || regexp_replace(lower(unaccent(",
    );
    sql.push_bind(query).push(
        r")), '[^[:alnum:]]+', ' ', 'g') || ' ' AS words
        ), people AS MATERIALIZED (
            SELECT p.person_id, regexp_replace(lower(unaccent(p.display_name)), '[^[:alnum:]]+', ' ', 'g') AS name
            FROM face_profiles p WHERE p.display_name IS NOT NULL AND p.owner_id = ",
    );
    sql.push_bind(owner).push("), sounding AS MATERIALIZED (SELECT * FROM unnest(").push_bind(heard).push("::uuid[], ");
    sql.push_bind(weights).push(
        r"::double precision[]) AS h (person_id, weight)
        ), named AS MATERIALIZED (
            SELECT p.person_id, greatest((SELECT h.weight::numeric FROM sounding h WHERE h.person_id = p.person_id), CASE
                WHEN btrim(p.name) = '' THEN 0
                WHEN strpos(q.words, ' ' || btrim(p.name) || ' ') > 0 THEN 1
                WHEN btrim(p.name) ~ '^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af ]{2,}$' AND strpos(replace(q.words, ' ', ''), replace(p.name, ' ', '')) > 0 THEN 1
                WHEN EXISTS (SELECT FROM unnest(string_to_array(btrim(p.name), ' ')) w WHERE length(w) >= 3 AND strpos(q.words, ' ' || w || ' ') > 0) THEN 0.5
                WHEN length(btrim(p.name)) >= 8 AND word_similarity(p.name, q.words) >= 0.5 AND EXISTS (
                    SELECT FROM unnest(string_to_array(btrim(p.name), ' ')) w CROSS JOIN unnest(string_to_array(btrim(q.words), ' ')) said
                    WHERE length(w) >= 5 AND similarity(w, said) >= 0.5) THEN 0.4
                ELSE 0 END) AS weight
            FROM people p CROSS JOIN q
        ), found AS MATERIALIZED (
            SELECT s.run_id, s.scene_id, v.video_id, sum(n.weight * (0.5 + 0.5 * s.share))::double precision AS score, min(s.start_ms) AS start_ms
            FROM named n CROSS JOIN LATERAL (
                SELECT DISTINCT most.run_id, most.scene_id FROM (SELECT s.run_id, s.scene_id FROM face_tracks s ",
    );
    // Where filters leave little, that is seldom where they are seen most.
    if filters.narrows() {
        push_visible(sql, filters);
        sql.push(" WHERE s.person_id = n.person_id AND ");
        push_filters(sql, owner, filters);
    } else {
        sql.push(" WHERE s.person_id = n.person_id AND s.owner_id = ").push_bind(owner);
    }
    sql.push(" ORDER BY (s.faces::real / s.frames) DESC LIMIT ").push_bind(limit * 2);
    // OFFSET 0 keeps it a query of its own: joined, the view would be made of every track of the library.
    sql.push(
        ") AS most) AS seen CROSS JOIN LATERAL (
                SELECT * FROM scene_people p
                WHERE p.run_id = seen.run_id AND p.scene_id = seen.scene_id AND p.person_id = n.person_id AND p.owner_id = ",
    );
    sql.push_bind(owner).push(" OFFSET 0) s ");
    push_visible(sql, filters);
    sql.push(" WHERE n.weight > 0 AND ");
    push_filters(sql, owner, filters);
    sql.push(
        " GROUP BY s.run_id, s.scene_id, v.video_id)
        SELECT run_id, scene_id, video_id, score FROM found ORDER BY score DESC, video_id, start_ms, scene_id LIMIT ",
    )
    .push_bind(limit);
}
