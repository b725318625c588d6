//! What the names in a query stand for, in the library of the one who asks.

use std::collections::BTreeSet;

use sqlx::{PgExecutor, PgPool};

use super::sound::{self, Query};
use crate::{
    error::DbError,
    ids::{PersonId, UserId},
};

/// Somebody who is meant by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// As it was given.
    pub name: String,
    pub person_id: PersonId,
}

/// Whom the names mean, whatever their case: everybody who is called so; if nobody is, everybody who has a name that begins so, be it
/// the first or a later one; if nobody has, those whose name sounds most like it in another script. A name that means nobody is not in
/// the answer.
pub async fn people_called(pool: &PgPool, owner: UserId, names: &[String]) -> Result<Vec<Called>, DbError> {
    let mut called = written_so(pool, owner, names).await?;
    let known: BTreeSet<&str> = called.iter().map(|one| one.name.as_str()).collect();
    let unknown: BTreeSet<&str> = names.iter().map(String::as_str).filter(|name| !known.contains(name)).collect();
    let heard = sounding_so(pool, owner, &unknown).await?;
    called.extend(heard);
    Ok(called)
}

async fn sounding_so(db: impl PgExecutor<'_>, owner: UserId, names: &BTreeSet<&str>) -> Result<Vec<Called>, DbError> {
    let queries: Vec<(&str, Query)> =
        names.iter().map(|name| (*name, Query::name(name))).filter(|(_, query)| !query.is_empty()).collect();
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let only_other_scripts = queries.iter().all(|(_, query)| query.is_latin());
    let people = sound::people(db, owner, only_other_scripts).await?;
    let mut called = Vec::new();
    for (name, query) in &queries {
        let weights: Vec<f64> = people.iter().map(|one| sound::weight(&one.name, query)).collect();
        let most = weights.iter().copied().fold(0.0, f64::max);
        let meant = people.iter().zip(&weights).filter(|(_, weight)| **weight > 0.0 && **weight >= most);
        called.extend(meant.map(|(one, _)| Called { name: (*name).to_owned(), person_id: one.person_id }));
    }
    Ok(called)
}

async fn written_so(db: impl PgExecutor<'_>, owner: UserId, names: &[String]) -> Result<Vec<Called>, DbError> {
    Ok(sqlx::query_as!(
        Called,
        r#"WITH called AS MATERIALIZED (
               SELECT g.name, p.person_id, lower(p.display_name) = lower(g.name) AS exactly
               FROM (SELECT DISTINCT name FROM unnest($2::text[]) AS given (name)) AS g
               JOIN face_profiles p ON strpos(' ' || lower(p.display_name), ' ' || lower(g.name)) > 0
               WHERE p.owner_id = $1 AND p.display_name IS NOT NULL
           )
           SELECT c.name AS "name!", c.person_id AS "person_id!: PersonId" FROM called c
           WHERE c.exactly OR NOT EXISTS (SELECT FROM called e WHERE e.name = c.name AND e.exactly)
           ORDER BY c.name, c.person_id"#,
        owner.0,
        names
    )
    .fetch_all(db)
    .await?)
}

/// Those of the tags that nothing visible of the owner has, under this id or under any name of it.
pub async fn unused_tags(db: impl PgExecutor<'_>, owner: UserId, tags: &[String]) -> Result<Vec<String>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT g.tag AS "tag!" FROM (SELECT DISTINCT tag FROM unnest($2::text[]) AS given (tag)) AS g
           WHERE NOT EXISTS (
                   SELECT FROM videos v CROSS JOIN unnest(v.tags) AS own (tag)
                   WHERE v.owner_id = $1 AND v.state <> 'deleted' AND lower(own.tag) = lower(g.tag))
             AND NOT EXISTS (
                   SELECT FROM scene_tags t JOIN videos v ON v.current_run_id = t.run_id
                   WHERE t.owner_id = $1 AND v.owner_id = $1 AND v.state <> 'deleted'
                     AND t.tag = ANY(array_prepend(lower(g.tag), ARRAY(SELECT l.tag FROM tag_labels l WHERE lower(l.label) = lower(g.tag)))))"#,
        owner.0,
        tags
    )
    .fetch_all(db)
    .await?)
}
