//! What a scene is tagged with: tags whose label, in any language of the vocabulary, is said in the query.

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{Candidate, Filters, Planning, fetch, push_filters, push_visible};
use crate::{error::DbError, ids::UserId};

/// The labels that a query names. Where words are written apart, a label is found in the stems of its own language ("cars" says "car"), as
/// a phrase if it has several words; in Korean as a word with or without a particle behind it; in Chinese, Japanese and Thai anywhere.
/// Each with its share of what the query says in that language, in words, or in letters where no spaces are between them.
const NAMED: &str = "said AS MATERIALIZED (
    SELECT c.config, to_tsvector(c.config::regconfig, q.text) AS stems FROM q CROSS JOIN (SELECT DISTINCT config FROM tag_labels) AS c
), named AS MATERIALIZED (
    SELECT l.tag, l.language, l.label, l.config, least(1, CASE
               WHEN l.language IN ('zh', 'ja', 'th') THEN char_length(l.label) / greatest(1, char_length(q.text))::double precision
               WHEN l.language = 'ko' THEN cardinality(string_to_array(l.label, ' ')) / greatest(1, q.words)::double precision
               -- A phrase is words with operators between them.
               ELSE (numnode(l.phrase) + 1) / 2 / greatest(1, length(said.stems))::double precision END) AS share
    FROM q CROSS JOIN tag_labels l LEFT JOIN said USING (config)
    WHERE CASE WHEN l.language IN ('zh', 'ja', 'th') THEN strpos(q.text, lower(l.label)) > 0
               WHEN l.language = 'ko' THEN lower(l.label) = ANY(q.bare) OR strpos(l.label, ' ') > 0 AND strpos(' ' || q.text, ' ' || lower(l.label)) > 0
               ELSE said.stems @@ l.phrase END)";

/// What Korean puts behind a noun, most of it; the nothing in front leaves a word as it is.
const PARTICLES: [&str; 22] = [
    "", "은", "는", "이", "가", "을", "를", "의", "에", "에서", "에게", "와", "과", "로", "으로", "도", "만", "들",
    "들이", "들을", "하는", "인",
];

/// A word as it is, then without each Korean particle that it ends in.
pub fn without_particle(word: &str) -> impl Iterator<Item = &str> {
    PARTICLES.iter().filter_map(move |particle| word.strip_suffix(particle)).filter(|bare| !bare.is_empty())
}

/// Every word of a query, with each particle taken off that it ends in.
fn bare_words(query: &str) -> Vec<String> {
    query.split_whitespace().flat_map(without_particle).map(str::to_owned).collect()
}

/// A scene with tags that a query names; its score is the sum over those tags.
#[derive(Clone, Copy, Debug, PartialEq, sqlx::FromRow)]
pub struct Tagged {
    #[sqlx(flatten)]
    pub candidate: Candidate,
    /// What these tags are called is so much of what the query says, 0 to 1.
    pub share: f64,
}

/// The surest scenes with tags that the query names.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Tagged>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new("");
    push_statement(&mut sql, owner, query, filters, limit);
    fetch(pool, deadline, Planning::Free, sql).await
}

pub(super) fn push_statement(
    sql: &mut QueryBuilder<Postgres>,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
) {
    push_named(sql, query);
    sql.push(
        " SELECT run_id, scene_id, video_id, sum(score)::double precision AS score, least(1, sum(share)) AS share
          FROM (SELECT tag, max(share) AS share FROM named GROUP BY tag) AS n CROSS JOIN LATERAL (SELECT s.run_id, s.scene_id, v.video_id, s.score FROM scene_tags s ",
    );
    push_visible(sql, filters);
    sql.push(" WHERE s.tag = n.tag AND ");
    push_filters(sql, owner, filters);
    // The best of each tag; a scene that is good for two of them is among both.
    sql.push(" ORDER BY s.score DESC, s.run_id, s.scene_id LIMIT ").push_bind(limit * 2);
    sql.push(") AS best GROUP BY run_id, scene_id, video_id ORDER BY score DESC, video_id, scene_id LIMIT ")
        .push_bind(limit);
}

/// `WITH` the labels that the query names.
fn push_named(sql: &mut QueryBuilder<Postgres>, query: &str) {
    let query = query.to_lowercase();
    let (bare, words) = (bare_words(&query), i32::try_from(query.split_whitespace().count()).unwrap_or(i32::MAX));
    sql.push("WITH q AS MATERIALIZED (SELECT ").push_bind(query).push("::text AS text, ");
    sql.push_bind(bare).push("::text[] AS bare, ").push_bind(words).push("::int AS words), ").push(NAMED);
}

/// A query in other words.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InEnglish {
    pub words: String,
    /// It says nothing else. Where no spaces are written, tags are found in parts of a sentence.
    pub is_all: bool,
}

/// A query in English, as far as the vocabulary speaks its language: the English labels of the tags that it names. `None` where it names
/// none, says more than those in a language whose words are known to be words ("chat" is a cat in French, "chat room" is none), or is
/// English.
///
/// # Errors
/// A failure of the database.
pub async fn in_english(pool: &PgPool, query: &str) -> Result<Option<InEnglish>, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new("");
    push_named(&mut sql, query);
    sql.push(
        ", told AS MATERIALIZED (
            SELECT n.language FROM named n LEFT JOIN said USING (config) GROUP BY n.language, said.stems
            HAVING n.language IN ('ko', 'zh', 'ja', 'th') OR tsvector_to_array(said.stems) <@ ARRAY(
                SELECT unnest(tsvector_to_array(to_tsvector(o.config::regconfig, o.label))) FROM named o WHERE o.language = n.language))
        SELECT string_agg(DISTINCT e.label, ' ') AS words, bool_or(n.language NOT IN ('zh', 'ja', 'th') OR n.share >= 1) AS is_all FROM named n JOIN told USING (language)
        JOIN tag_labels e ON e.tag = n.tag AND e.language = 'en' AND e.place = 0
        WHERE NOT EXISTS (SELECT FROM told WHERE language = 'en') HAVING count(*) > 0",
    );
    Ok(sql.build_query_as().fetch_optional(pool).await?)
}

#[cfg(test)]
mod tests {
    use super::bare_words;

    #[test]
    fn particles_are_taken_off_and_nothing_else() {
        assert_eq!(bare_words("말이 달린다"), ["말이", "말", "달린다"]);
        assert_eq!(bare_words("차에서"), ["차에서", "차"]);
        assert_eq!(bare_words("a car"), ["a", "car"]);
        assert!(bare_words(" 은  ").iter().all(|word| word == "은"), "a particle by itself is a word");
        assert!(bare_words("").is_empty());
    }
}
