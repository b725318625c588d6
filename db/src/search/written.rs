//! What was written on screen: substrings, which is right for languages without spaces too; signs that have at least half of a longer
//! query's words, or of its characters where it is written without spaces, be it in several lines; and for misspellings and
//! misreadings, words that share most of their trigrams (`pg_trgm`'s word similarity).

use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{
    Candidate, Filters, Planning, RANKED,
    conditions::{has_no_spaces, push_letters},
    fetch, push_filters, push_visible,
};
use crate::{error::DbError, ids::UserId};

/// Word similarity below which a text says something else: of seven letters one may be wrong.
pub(super) const FLOOR: f64 = 0.55;
/// Shorter words are not looked for misspelt: half of three letters is in every line.
const MISSPELT_FROM: usize = 4;

/// Words of a query that are looked for one by one.
const WORDS: i64 = 12;
/// Queries of more words are not looked for misspelt: each is a look into the index.
const MISSPELT_WORDS: usize = 4;
/// Lines with any of them that are looked at.
const LINES: i64 = 500;
/// Characters of a piece of a query without spaces: an index of trigrams knows none that is shorter.
const PIECE: usize = 3;
/// Pieces of a query that are looked for.
const PIECES: usize = 12;

/// A scene whose pictures have the query in writing.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Written {
    /// Its score is 1 and more where the query is there letter by letter, else the word similarity, or, where at least half of the
    /// words are there, or words like them, 0.5 and for their share up to 0.45 more.
    #[sqlx(flatten)]
    pub candidate: Candidate,
    /// The best line of the scene, and when it can first be read.
    pub text: String,
    pub at_ms: i64,
}

/// The best scenes for a person's query, each with its best line. A line that is nothing but the query comes before one
/// that merely has it.
pub async fn candidates(
    pool: &PgPool,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
    deadline: Duration,
) -> Result<Vec<Written>, DbError> {
    let query = query.trim().trim_matches('"').trim();
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::<Postgres>::new("");
    push_statement(&mut sql, owner, query, filters, limit);
    fetch(pool, deadline, Planning::of_matches(filters), sql).await
}

/// Of more than [`RANKED`] lines that match, those that the index has first are compared.
pub(super) fn push_statement(
    sql: &mut QueryBuilder<Postgres>,
    owner: UserId,
    query: &str,
    filters: &Filters,
    limit: i64,
) {
    sql.push("WITH stems AS MATERIALIZED (SELECT array_to_tsvector(ARRAY[stem])::text::tsquery AS stem, n FROM unnest(tsvector_to_array(to_tsvector('english', ");
    sql.push_bind(query.to_owned()).push("))) WITH ORDINALITY AS each (stem, n) LIMIT ").push_bind(WORDS);
    sql.push("), lines AS MATERIALIZED (SELECT *, to_tsvector('english', text) AS words FROM (");
    push_lines(sql, owner, filters);
    sql.push(
        " AND to_tsvector('english', s.text) @@ (SELECT string_agg(stem::text, ' | ')::tsquery FROM stems) LIMIT ",
    );
    sql.push_bind(LINES).push(
        ") AS l), worded AS MATERIALIZED (
            SELECT run_id, scene_id, video_id, (array_agg(text ORDER BY own DESC, at_ms, text))[1] AS text, (array_agg(at_ms ORDER BY own DESC, at_ms, text))[1] AS at_ms,
                   count(DISTINCT n) / (SELECT count(*) FROM stems)::double precision AS share
            FROM (SELECT l.*, q.n, count(*) OVER (PARTITION BY l.run_id, l.scene_id, l.at_ms, l.text) AS own
                  FROM lines l JOIN stems q ON l.words @@ q.stem) AS said
            GROUP BY run_id, scene_id, video_id
        ), ",
    );
    let misspelt = Misspelt::of(query);
    if let Misspelt::Words(words) = &misspelt {
        push_misspelt(sql, owner, words, filters);
    }
    if let Misspelt::Pieces(pieces) = &misspelt {
        push_pieces(sql, owner, pieces, filters);
    }
    sql.push("found AS MATERIALIZED (SELECT l.run_id, l.scene_id, l.video_id, l.text, l.at_ms, (CASE WHEN ");
    push_letters(sql, "l", query);
    sql.push(" THEN 1 + least(1, char_length(");
    sql.push_bind(query.to_owned()).push("::text)::real / greatest(1, char_length(l.text))) ELSE word_similarity(");
    sql.push_bind(query.to_owned()).push(", l.text) END)::double precision AS score FROM (");
    push_lines(sql, owner, filters);
    sql.push(" AND (");
    push_letters(sql, "s", query);
    if matches!(misspelt, Misspelt::AsAWhole | Misspelt::Pieces(_)) {
        sql.push(" OR ").push_bind(query.to_owned()).push(" <% s.text");
    }
    sql.push(format!(
        ") LIMIT {RANKED}) AS l
          UNION ALL SELECT run_id, scene_id, video_id, text, at_ms, 0.5 + 0.45 * share FROM worded WHERE share >= 0.5"
    ));
    let more = match misspelt {
        Misspelt::Words(_) => Some("misspelt"),
        Misspelt::Pieces(_) => Some("pieced"),
        Misspelt::AsAWhole | Misspelt::Not => None,
    };
    if let Some(more) = more {
        sql.push(format!(
            " UNION ALL SELECT run_id, scene_id, video_id, text, at_ms, 0.5 + 0.45 * share FROM {more} WHERE share >= 0.5"
        ));
    }
    sql.push(
        "), best AS (SELECT DISTINCT ON (run_id, scene_id) * FROM found ORDER BY run_id, scene_id, score DESC, at_ms, text)
        SELECT * FROM best ORDER BY score DESC, video_id, at_ms, scene_id LIMIT ",
    );
    sql.push_bind(limit);
}

/// The person's lines that pass the filters; a condition more may follow.
fn push_lines(sql: &mut QueryBuilder<Postgres>, owner: UserId, filters: &Filters) {
    sql.push("SELECT s.run_id, s.scene_id, v.video_id, s.text, s.start_ms AS at_ms FROM screen_texts s ");
    push_visible(sql, filters);
    sql.push(" WHERE ");
    push_filters(sql, owner, filters);
}

/// How a query is compared with signs that may spell it otherwise.
#[derive(PartialEq)]
enum Misspelt {
    /// One word, or a little writing without spaces.
    AsAWhole,
    /// Writing without spaces, of which a sign may have one part on a line and another on the next: as a whole and by all its pieces.
    Pieces(Vec<String>),
    /// Word by word: a sign has several lines.
    Words(Vec<String>),
    /// Half of three letters is in every line, and no sign is a long sentence.
    Not,
}

impl Misspelt {
    fn of(query: &str) -> Self {
        let long = |word: &&str| word.chars().count() >= MISSPELT_FROM;
        let words: Vec<_> =
            query.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let letters: Vec<char> = query.chars().collect();
        match words.len() {
            1 if letters.len() > PIECE && letters.iter().copied().all(has_no_spaces) => {
                Self::Pieces(letters.windows(PIECE).take(PIECES).map(|piece| piece.iter().collect()).collect())
            }
            0 | 1 if long(&query) => Self::AsAWhole,
            2..=MISSPELT_WORDS => Self::Words(words.into_iter().filter(long).map(str::to_owned).collect()),
            _ => Self::Not,
        }
    }
}

/// Signs whose words are misspelt, where no sign has half of them as they are: each word counts by how much the word most like it is. A
/// word that some sign has is looked for no further.
fn push_misspelt(sql: &mut QueryBuilder<Postgres>, owner: UserId, words: &[String], filters: &Filters) {
    sql.push("spelt AS MATERIALIZED (SELECT word, n, plainto_tsquery('english', word) AS stem FROM unnest(");
    sql.push_bind(words.to_vec()).push(
        "::text[]) WITH ORDINALITY AS given (word, n) WHERE NOT EXISTS (SELECT FROM worded WHERE share >= 0.5)
        ), known AS MATERIALIZED (
            SELECT l.run_id, l.scene_id, l.video_id, l.text, l.at_ms, p.n, 1::double precision AS alike FROM spelt p JOIN lines l ON l.words @@ p.stem
        ), alike AS MATERIALIZED (
            SELECT * FROM known UNION ALL
            SELECT l.*, p.n, word_similarity(p.word, l.text)::double precision FROM spelt p CROSS JOIN LATERAL (",
    );
    push_lines(sql, owner, filters);
    sql.push(" AND p.word <% s.text LIMIT ").push_bind(LINES);
    sql.push(
        ") AS l WHERE p.n NOT IN (SELECT n FROM known)
        ), misspelt AS MATERIALIZED (
            SELECT run_id, scene_id, video_id, (array_agg(text ORDER BY alike DESC, at_ms, text))[1] AS text,
                   (array_agg(at_ms ORDER BY alike DESC, at_ms, text))[1] AS at_ms, sum(alike) / (SELECT count(*) FROM spelt) AS share
            FROM (SELECT DISTINCT ON (run_id, scene_id, n) * FROM alike ORDER BY run_id, scene_id, n, alike DESC, at_ms, text) AS nearest
            GROUP BY run_id, scene_id, video_id
        ), ",
    );
}

/// Scenes whose lines have pieces of the query, and for how many of its characters they stand.
fn push_pieces(sql: &mut QueryBuilder<Postgres>, owner: UserId, pieces: &[String], filters: &Filters) {
    sql.push("pieces AS MATERIALIZED (SELECT l.*, p.n FROM unnest(");
    sql.push_bind(pieces.to_vec()).push("::text[]) WITH ORDINALITY AS p (piece, n) CROSS JOIN LATERAL (");
    push_lines(sql, owner, filters);
    sql.push(" AND s.text ILIKE '%' || p.piece || '%' LIMIT ").push_bind(LINES);
    sql.push(format!(
        ") AS l), pieced AS MATERIALIZED (
            SELECT run_id, scene_id, video_id, (array_agg(text ORDER BY own DESC, at_ms, text))[1] AS text,
                   (array_agg(at_ms ORDER BY own DESC, at_ms, text))[1] AS at_ms, count(DISTINCT place) / {}::double precision AS share
            FROM (SELECT *, count(*) OVER (PARTITION BY run_id, scene_id, at_ms, text) AS own FROM pieces) AS had
            CROSS JOIN LATERAL generate_series(n, n + {}) AS places (place)
            GROUP BY run_id, scene_id, video_id
        ), ",
        pieces.len() + PIECE - 1,
        PIECE - 1,
    ));
}

#[cfg(test)]
mod tests {
    use super::Misspelt;

    #[test]
    fn words_may_be_misspelt_and_sentences_are_not_looked_for() {
        let words = |words: &[&str]| Misspelt::Words(words.iter().map(|&word| word.to_owned()).collect());
        for (query, expected) in [
            ("Hauptbanhof", Misspelt::AsAWhole),
            ("上海站", Misspelt::Not),
            ("上海国际", Misspelt::Pieces(vec!["上海国".into(), "海国际".into()])),
            ("cat", Misspelt::Not),
            ("", Misspelt::Not),
            ("stabel rules, no smokng", words(&["stabel", "rules", "smokng"])),
            ("42 %", Misspelt::AsAWhole),
            ("where do they talk about trains", Misspelt::Not),
        ] {
            assert!(Misspelt::of(query) == expected, "{query}");
        }
    }
}
