//! What tags are called: the vocabulary's labels, for search and for people.

use sqlx::PgPool;

use crate::{error::DbError, moments::scenes::text_search_config};

/// A label of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagLabel {
    pub tag: String,
    /// ISO 639-1.
    pub language: String,
    pub label: String,
    /// 0 is the one that people are shown in this language.
    pub place: i16,
}

/// Puts a vocabulary's labels in the place of those that its tags had. Tags it does not know keep theirs, since scenes of older
/// runs have them. Workers that start at once take turns.
pub async fn publish(pool: &PgPool, labels: &[TagLabel]) -> Result<(), DbError> {
    let tags: Vec<_> = labels.iter().map(|l| l.tag.clone()).collect();
    let mut tx = pool.begin().await?;
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('tag_labels', 0))").execute(&mut *tx).await?;
    sqlx::query!("DELETE FROM tag_labels WHERE tag = ANY($1)", &tags).execute(&mut *tx).await?;
    // A label that is nothing but stop words in its language is kept as it is.
    sqlx::query!(
        "INSERT INTO tag_labels (tag, language, label, place, config, phrase)
         SELECT tag, language, label, place, CASE WHEN numnode(stems) > 0 THEN config ELSE 'simple' END,
                CASE WHEN numnode(stems) > 0 THEN stems ELSE phraseto_tsquery('simple', label) END
         FROM (SELECT *, phraseto_tsquery(config::regconfig, label) AS stems
               FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[]) AS given (tag, language, label, place, config)) AS all_labels
         ON CONFLICT DO NOTHING",
        &tags,
        &labels.iter().map(|l| l.language.clone()).collect::<Vec<_>>(),
        &labels.iter().map(|l| l.label.clone()).collect::<Vec<_>>(),
        &labels.iter().map(|l| l.place).collect::<Vec<_>>(),
        &labels.iter().map(|l| text_search_config(Some(&l.language)).to_owned()).collect::<Vec<_>>()
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
