//! Everything that is kept of a person, as JSON texts in pages of bounded size. No secrets, no vectors.

use sqlx::PgExecutor;

use crate::{
    error::DbError,
    ids::{RunId, UserId, VideoId},
};

/// A video of the export, and the run that its moments are read from.
#[derive(Clone, Debug)]
pub struct ExportedVideo {
    pub video_id: VideoId,
    pub run_id: Option<RunId>,
    /// A JSON object.
    pub json: String,
}

/// The account itself: a JSON object.
pub async fn account(db: impl PgExecutor<'_>, user: UserId) -> Result<String, DbError> {
    sqlx::query_scalar!(
        r#"SELECT (to_jsonb(u) || jsonb_build_object('role_profiles', ARRAY(
               SELECT p.role_type FROM user_role_profiles p WHERE p.user_id = u.user_id AND p.enabled ORDER BY 1)))::text AS "json!"
           FROM users u WHERE user_id = $1"#,
        user.0
    )
    .fetch_optional(db)
    .await?
    .ok_or(DbError::NotFound)
}

/// The person's videos by id, those that wait to be purged included.
pub async fn videos(
    db: impl PgExecutor<'_>,
    owner: UserId,
    after: Option<VideoId>,
    limit: i64,
) -> Result<Vec<ExportedVideo>, DbError> {
    Ok(sqlx::query_as!(
        ExportedVideo,
        r#"SELECT v.video_id AS "video_id: VideoId", v.current_run_id AS "run_id: RunId",
                  ((to_jsonb(v) - ARRAY['owner_id', 'upload_id', 'poster_key', 'counted_on', 'part_size_bytes', 'part_count', 'current_run_id'])
                   || jsonb_build_object('file', (SELECT to_jsonb(m) - 'video_id' FROM video_metadata m WHERE m.video_id = v.video_id),
                                         'language', (SELECT r.language FROM runs r WHERE r.run_id = v.current_run_id),
                                         'models', (SELECT r.models FROM runs r WHERE r.run_id = v.current_run_id)))::text AS "json!"
           FROM videos v WHERE v.owner_id = $1 AND ($2::uuid IS NULL OR v.video_id > $2) ORDER BY v.video_id LIMIT $3"#,
        owner.0,
        after.map(|id| id.0),
        limit
    )
    .fetch_all(db)
    .await?)
}

/// A list that belongs to the visible run of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfRun {
    /// What was said.
    Transcript,
    /// With tags, affect and the writing on screen.
    Scenes,
}

impl OfRun {
    pub const ALL: [Self; 2] = [Self::Transcript, Self::Scenes];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Transcript => "transcript",
            Self::Scenes => "scenes",
        }
    }
}

/// A page of JSON objects, from place `offset` on.
pub async fn of_run(
    db: impl PgExecutor<'_>,
    list: OfRun,
    run: RunId,
    offset: i64,
    limit: i64,
) -> Result<Vec<String>, DbError> {
    Ok(match list {
        OfRun::Transcript => {
            sqlx::query_scalar!(
                r#"SELECT jsonb_build_object('start_ms', start_ms, 'end_ms', end_ms, 'text', text)::text AS "json!"
                   FROM transcript_segments WHERE run_id = $1 ORDER BY segment_no OFFSET $2 LIMIT $3"#,
                run.0,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfRun::Scenes => {
            sqlx::query_scalar!(
                r#"SELECT jsonb_build_object('scene_id', s.scene_id, 'start_ms', s.start_ms, 'end_ms', s.end_ms, 'text', s.text, 'language', s.language,
                       'motion', s.motion, 'affect', s.affect,
                       'tags', (SELECT jsonb_object_agg(t.tag, t.score) FROM scene_tags t WHERE t.run_id = s.run_id AND t.scene_id = s.scene_id),
                       'on_screen', (SELECT jsonb_agg(jsonb_build_object('start_ms', x.start_ms, 'end_ms', x.end_ms, 'text', x.text) ORDER BY x.start_ms, x.text_id)
                                     FROM screen_texts x WHERE x.run_id = s.run_id AND x.scene_id = s.scene_id))::text AS "json!"
                   FROM scenes s WHERE s.run_id = $1 ORDER BY s.ordinal OFFSET $2 LIMIT $3"#,
                run.0,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
    })
}

/// A list that belongs to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfPerson {
    People,
    /// Which faces the owner said are whose.
    FaceDecisions,
    Edits,
    Searches,
    SavedSearches,
    Shares,
    Clips,
    Webhooks,
    ApiTokens,
    /// What was done to the account, and by it.
    History,
}

impl OfPerson {
    pub const ALL: [Self; 10] = [
        Self::People,
        Self::FaceDecisions,
        Self::Edits,
        Self::Searches,
        Self::SavedSearches,
        Self::Shares,
        Self::Clips,
        Self::Webhooks,
        Self::ApiTokens,
        Self::History,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::FaceDecisions => "face_decisions",
            Self::Edits => "edits",
            Self::Searches => "searches",
            Self::SavedSearches => "saved_searches",
            Self::Shares => "shares",
            Self::Clips => "clips",
            Self::Webhooks => "webhooks",
            Self::ApiTokens => "api_tokens",
            Self::History => "history",
        }
    }
}

/// A page of JSON objects, oldest first, from place `offset` on.
pub async fn of_person(
    db: impl PgExecutor<'_>,
    list: OfPerson,
    user: UserId,
    offset: i64,
    limit: i64,
) -> Result<Vec<String>, DbError> {
    let user = user.0;
    Ok(match list {
        OfPerson::People => {
            sqlx::query_scalar!(
                r#"SELECT ((to_jsonb(p) - 'owner_id') || jsonb_build_object(
                       'photos', (SELECT coalesce(jsonb_agg(jsonb_build_object('photo_id', f.photo_id, 'state', f.state, 'code', f.code, 'created_at', f.created_at)
                                            ORDER BY f.created_at, f.photo_id), '[]') FROM face_photos f WHERE f.person_id = p.person_id),
                       'seen_in_scenes', (SELECT count(DISTINCT t.scene_id) FROM face_tracks t WHERE t.person_id = p.person_id)))::text AS "json!"
                   FROM face_profiles p WHERE owner_id = $1 ORDER BY created_at, person_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::FaceDecisions => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(d) - ARRAY['owner_id', 'face_vec', 'face_model', 'quality', 'seq'])::text AS "json!"
                   FROM face_decisions d WHERE owner_id = $1 ORDER BY seq OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::Edits => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(e) - 'user_id')::text AS "json!" FROM video_edits e WHERE user_id = $1 ORDER BY created_at, edit_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::Searches => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(s) - 'user_id' - 'search_id')::text AS "json!" FROM search_log s WHERE user_id = $1 ORDER BY search_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::SavedSearches => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(s) - 'user_id')::text AS "json!" FROM saved_searches s WHERE user_id = $1 ORDER BY created_at, saved_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::Shares => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(s) - 'owner_id' - 'token_hash')::text AS "json!" FROM shares s WHERE owner_id = $1 ORDER BY created_at, share_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::Clips => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(c) - ARRAY['owner_id', 'object_key', 'task_id'])::text AS "json!" FROM clips c WHERE owner_id = $1 ORDER BY created_at, clip_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::Webhooks => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(w) - 'owner_id' - 'secret')::text AS "json!" FROM webhooks w WHERE owner_id = $1 ORDER BY created_at, webhook_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        OfPerson::ApiTokens => {
            sqlx::query_scalar!(
                r#"SELECT (to_jsonb(t) - 'user_id' - 'token_hash')::text AS "json!" FROM api_tokens t WHERE user_id = $1 ORDER BY created_at, token_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
        // An address or a change of somebody else's is not theirs to have.
        OfPerson::History => {
            sqlx::query_scalar!(
                r#"SELECT jsonb_build_object('action', action, 'at', created_at, 'target', target, 'by', actor_kind,
                       'ip', CASE WHEN actor_id = $1 THEN host(ip) END,
                       'before', before, 'after', after)::text AS "json!"
                   FROM audit_events WHERE subject_id = $1 ORDER BY event_id OFFSET $2 LIMIT $3"#,
                user,
                offset,
                limit
            )
            .fetch_all(db)
            .await?
        }
    })
}
