//! People whose names are written in another script than they were enrolled in: "오바마" is Barack Obama, and "minji" is "민지".
//!
//! Names are compared by what is heard ([`key`]), and only across scripts: within one, letters are compared. A word of one language that
//! sounds like a name of another must not name anybody, so what is short counts little or not at all.

mod key;
mod query;
mod reading;
mod script;
#[cfg(test)]
mod tests;

use sqlx::PgExecutor;

pub(super) use self::query::Query;
use self::{
    key::{nearly_same, same, same_but_for_vowels},
    query::keys,
    script::{Script, words},
};
use crate::{
    error::DbError,
    ids::{PersonId, UserId},
    people::MAX_NAMED,
};

/// The whole name is heard.
pub(super) const WHOLE: f64 = 1.0;
/// One name of several, or a name so short that other words sound like it.
const PARTLY: f64 = 0.5;
/// All of a long name, but for a vowel, or of a name of several words, but for its vowels.
const NEARLY: f64 = 0.4;

/// Sounds of a name that counts wherever it is heard.
const ENOUGH: usize = 5;
/// Of one that counts where the text is nothing else.
const ENOUGH_ALONE: usize = 4;
/// Of one that counts where a name is asked for.
const ENOUGH_AS_NAME: usize = 3;
/// Letters of a name that may be heard nearly. Names that are at home in scripts of syllables have fewer, and differ by as little as a vowel.
const LENT: usize = 5;

/// Somebody with a name.
pub(super) struct Named {
    pub person_id: PersonId,
    pub name: String,
}

/// Somebody whose name is heard in a query, and how surely it is, up to [`WHOLE`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sounding {
    pub person_id: PersonId,
    pub weight: f64,
}

/// Those of the owner who may be meant by a name in another script.
pub(super) async fn people(
    db: impl PgExecutor<'_>,
    owner: UserId,
    only_other_scripts: bool,
) -> Result<Vec<Named>, DbError> {
    Ok(sqlx::query_as!(
        Named,
        r#"SELECT person_id AS "person_id: PersonId", display_name AS "name!" FROM face_profiles
           WHERE owner_id = $1 AND display_name IS NOT NULL
             AND (NOT $2::bool OR display_name ~ '[\u0370-\u052f\u1f00-\u1fff\u3041-\u30fc\u3400-\u9fff\uac00-\ud7a3]') LIMIT $3"#,
        owner.0,
        only_other_scripts,
        MAX_NAMED
    )
    .fetch_all(db)
    .await?)
}

/// Everybody of the owner whose name is heard in the query.
pub(super) async fn heard_in(db: impl PgExecutor<'_>, owner: UserId, query: &Query) -> Result<Vec<Sounding>, DbError> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let people = people(db, owner, query.is_latin()).await?;
    let sounding = people.iter().map(|one| Sounding { person_id: one.person_id, weight: weight(&one.name, query) });
    Ok(sounding.filter(|sounding| sounding.weight > 0.0).collect())
}

/// How surely the name is heard in the query: 0 where it is not.
pub(super) fn weight(name: &str, query: &Query) -> f64 {
    let words = words(name);
    let mut best = 0.0_f64;
    for (at, first) in words.iter().enumerate() {
        // Somebody may be enrolled as "Minji 민지".
        let script = first.script;
        if words[..at].iter().all(|word| word.script != script) {
            let own: Vec<&str> =
                words.iter().filter(|word| word.script == script).map(|word| word.text.as_str()).collect();
            best = best.max(of_one_script(script, &own, query));
        }
    }
    best
}

fn of_one_script(script: Script, words: &[&str], query: &Query) -> f64 {
    let mut parts = words.to_vec();
    if let ([name], Script::Hangul) = (words, script)
        && name.chars().count() == 3
        && let Some(first) = name.chars().next()
    {
        let (family, given) = name.split_at(first.len_utf8());
        parts = vec![family, given];
    }
    let is_lent = |script: Script, letters: usize| script == Script::Latin || letters >= LENT;
    let letters: usize = words.iter().map(|word| word.chars().count()).sum();
    let mut whole = keys(script, words);
    let mut best = 0.0_f64;
    if parts.len() > 1 {
        // The family's name is first in some languages and last in others.
        for by in [1, parts.len() - 1] {
            let mut turned = parts.clone();
            turned.rotate_left(by);
            whole.extend(keys(script, &turned));
        }
        for part in parts.iter().flat_map(|part| keys(script, &[*part])).filter(|part| part.len() >= ENOUGH) {
            if query.heard(script, &part).any(|heard| same(&part, &heard.key)) {
                best = PARTLY;
            }
        }
    }
    for name in &whole {
        for heard in query.heard(script, name) {
            let may_be_near = is_lent(script, letters) && is_lent(heard.script, heard.letters);
            // Korean names have three letters, of which vowels tell one from another.
            let may_be_long = is_lent(script, letters + 1) && is_lent(heard.script, heard.letters + 1);
            let weight = if name.len() >= heard.least && same(name, &heard.key) {
                if name.len() >= ENOUGH { WHOLE } else { PARTLY }
            } else if may_be_near && nearly_same(name, &heard.key)
                || words.len() > 1 && may_be_long && same_but_for_vowels(name, &heard.key)
            {
                NEARLY
            } else {
                0.0
            };
            best = best.max(weight);
        }
    }
    best
}
