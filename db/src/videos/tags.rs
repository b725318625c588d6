//! An owner's own tags on their videos.

use sqlx::{PgConnection, PgExecutor};

use super::like_part;
use crate::{
    error::DbError,
    ids::{UserId, VideoId},
};

/// How many tags a video may have.
pub const MAX_TAGS: usize = 50;

/// A tag of the owner and how many of their videos have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagUse {
    pub tag: String,
    pub videos: i64,
}

/// The owner's tags that hold `text`, the most used first.
pub async fn own_tags(
    db: impl PgExecutor<'_>,
    owner: UserId,
    text: Option<&str>,
    limit: i64,
) -> Result<Vec<TagUse>, DbError> {
    let pattern = text.map(like_part);
    Ok(sqlx::query_as!(
        TagUse,
        r#"SELECT own.tag AS "tag!", count(*) AS "videos!" FROM videos v CROSS JOIN unnest(v.tags) AS own (tag)
           WHERE v.owner_id = $1 AND v.state <> 'deleted' AND ($2::text IS NULL OR own.tag ILIKE $2)
           GROUP BY own.tag ORDER BY count(*) DESC, own.tag LIMIT $3"#,
        owner.0,
        pattern,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// Adds tags a video lacks and removes those it has, whatever else is done to it meanwhile.
///
/// # Errors
/// [`DbError::NotFound`], and [`DbError::Conflict`] `too_many_tags` when it would have more than [`MAX_TAGS`].
pub async fn retag(
    db: &mut PgConnection,
    owner: UserId,
    video: VideoId,
    add: &[String],
    remove: &[String],
) -> Result<(), DbError> {
    let mut tags = sqlx::query_scalar!(
        "SELECT tags FROM videos WHERE video_id = $1 AND owner_id = $2 AND state <> 'deleted' FOR UPDATE",
        video.0,
        owner.0
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    tags.retain(|tag| !remove.contains(tag));
    for tag in add {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(DbError::Conflict("too_many_tags"));
    }
    sqlx::query!("UPDATE videos SET tags = $3 WHERE video_id = $1 AND owner_id = $2", video.0, owner.0, &tags)
        .execute(db)
        .await?;
    Ok(())
}
