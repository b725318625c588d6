//! People: the row behind a verified token.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    audit::{self, Action, By, Event, Whom},
    enums::{UserRole, UserTier},
    error::DbError,
    ids::UserId,
};

/// A person as stored, with what they may do.
#[derive(Clone, Debug)]
pub struct User {
    pub user_id: UserId,
    /// The `sub` of their tokens.
    pub supabase_user_id: Option<Uuid>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    pub tier: UserTier,
    /// One of [`UserRole`]: a preference, never a permission.
    pub role: String,
    pub role_chosen: bool,
    pub created_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    /// A tombstone: the account is gone and stays gone.
    pub deleted_at: Option<DateTime<Utc>>,
    pub claims_issued_at: Option<DateTime<Utc>>,
    pub profile_edited_at: Option<DateTime<Utc>>,
    /// Enabled rows of `user_role_profiles`, sorted.
    pub role_profiles: Vec<String>,
}

/// What a verified token says of a person; empty strings are already `None`.
#[derive(Clone, Debug)]
pub struct ClaimedProfile {
    pub subject: Uuid,
    pub email: Option<String>,
    pub email_verified: bool,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    /// Chosen at sign-up; applied only when the row is made.
    pub role: Option<UserRole>,
    pub issued_at: DateTime<Utc>,
}

/// The row of a token's `sub`, tombstones included, and whether the token's session still lives. `session` is given only
/// where sessions are ours (the embedded auth server); otherwise the answer is `true`.
pub async fn find_by_subject(
    db: impl PgExecutor<'_>,
    subject: Uuid,
    session: Option<Uuid>,
) -> Result<Option<(User, bool)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT u.user_id AS "user_id: UserId", u.supabase_user_id, u.email, u.email_verified, u.display_name, u.avatar_url,
                  u.tier AS "tier: UserTier", u.role, u.role_chosen, u.created_at, u.last_login_at, u.deleted_at, u.claims_issued_at,
                  u.profile_edited_at,
                  ARRAY(SELECT p.role_type FROM user_role_profiles p WHERE p.user_id = u.user_id AND p.enabled ORDER BY 1) AS "role_profiles!",
                  ($2::uuid IS NULL OR EXISTS (SELECT FROM auth_sessions s JOIN auth_credentials c ON c.id = s.credential_id
                      WHERE s.session_id = $2 AND s.credential_id = $1 AND (c.banned_until IS NULL OR c.banned_until < now()))) AS "session_lives!"
           FROM users u WHERE u.supabase_user_id = $1"#,
        subject,
        session
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| {
        let user = User {
            user_id: r.user_id,
            supabase_user_id: r.supabase_user_id,
            email: r.email,
            email_verified: r.email_verified,
            display_name: r.display_name,
            avatar_url: r.avatar_url,
            tier: r.tier,
            role: r.role,
            role_chosen: r.role_chosen,
            created_at: r.created_at,
            last_login_at: r.last_login_at,
            deleted_at: r.deleted_at,
            claims_issued_at: r.claims_issued_at,
            profile_edited_at: r.profile_edited_at,
            role_profiles: r.role_profiles,
        };
        (user, r.session_lives)
    }))
}

/// Makes or renews the row of a token's `sub`. Only newer claims win, a tombstone is left alone, and what the person has
/// edited here is not overwritten. Any number of first requests at once make one row.
pub async fn upsert_from_claims(db: &mut PgConnection, claims: &ClaimedProfile) -> Result<User, DbError> {
    sqlx::query!(
        "WITH person AS (
             INSERT INTO users AS u (supabase_user_id, email, email_verified, display_name, avatar_url, role, role_chosen, claims_issued_at, last_login_at)
             VALUES ($1, $2, $3, $4, $5, COALESCE($6, 'creator'), $6 IS NOT NULL, $7, now())
             ON CONFLICT (supabase_user_id) DO UPDATE SET
                 email = excluded.email,
                 email_verified = excluded.email_verified,
                 display_name = CASE WHEN u.profile_edited_at IS NULL THEN COALESCE(excluded.display_name, u.display_name) ELSE u.display_name END,
                 avatar_url = CASE WHEN u.profile_edited_at IS NULL THEN COALESCE(excluded.avatar_url, u.avatar_url) ELSE u.avatar_url END,
                 claims_issued_at = excluded.claims_issued_at,
                 last_login_at = now()
             WHERE u.deleted_at IS NULL AND (u.claims_issued_at IS NULL OR u.claims_issued_at <= excluded.claims_issued_at)
             RETURNING u.user_id
         )
         INSERT INTO user_role_profiles (user_id, role_type) SELECT user_id, 'member' FROM person ON CONFLICT DO NOTHING",
        claims.subject,
        claims.email,
        claims.email_verified,
        claims.display_name,
        claims.avatar_url,
        claims.role.map(UserRole::as_str),
        claims.issued_at
    )
    .execute(&mut *db)
    .await?;
    let (user, _) = find_by_subject(db, claims.subject, None).await?.ok_or(DbError::NotFound)?;
    Ok(user)
}

/// Fields to change; `None` leaves one as it is, `Some(None)` empties it.
#[derive(Clone, Debug, Default)]
pub struct ProfilePatch {
    pub display_name: Option<Option<String>>,
    pub avatar_url: Option<Option<String>>,
    pub role: Option<UserRole>,
}

/// Edits the person's own profile.
pub async fn update_profile(db: impl PgExecutor<'_>, user: UserId, patch: &ProfilePatch) -> Result<(), DbError> {
    let (set_name, name) = (patch.display_name.is_some(), patch.display_name.clone().flatten());
    let (set_avatar, avatar) = (patch.avatar_url.is_some(), patch.avatar_url.clone().flatten());
    let done = sqlx::query!(
        "UPDATE users SET
             display_name = CASE WHEN $2 THEN $3 ELSE display_name END,
             avatar_url = CASE WHEN $4 THEN $5 ELSE avatar_url END,
             profile_edited_at = CASE WHEN $2 OR $4 THEN now() ELSE profile_edited_at END,
             role = COALESCE($6, role),
             role_chosen = role_chosen OR $6 IS NOT NULL
         WHERE user_id = $1 AND deleted_at IS NULL",
        user.0,
        set_name,
        name,
        set_avatar,
        avatar,
        patch.role.map(UserRole::as_str)
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 0 { Err(DbError::NotFound) } else { Ok(()) }
}

/// The operator's switch: what a person may do. The account is named by e-mail and must be the only live one with it.
pub async fn grant(db: &mut PgConnection, email: &str, role_type: &str, by: &By) -> Result<UserId, DbError> {
    let user = only_by_email(&mut *db, email).await?;
    sqlx::query!(
        "INSERT INTO user_role_profiles (user_id, role_type) VALUES ($1, $2)
         ON CONFLICT (user_id, role_type) DO UPDATE SET enabled = true",
        user.0,
        role_type
    )
    .execute(&mut *db)
    .await?;
    let event = Event::new(Action::RoleProfileGranted, Whom::User(user));
    audit::record(db, by, event.changed(json!(null), json!({ "role_type": role_type }))).await?;
    Ok(user)
}

/// The operator's switch: a person's limits.
pub async fn set_tier(db: &mut PgConnection, email: &str, tier: UserTier, by: &By) -> Result<UserId, DbError> {
    let user = only_by_email(&mut *db, email).await?;
    let before = sqlx::query_scalar!(
        r#"UPDATE users u SET tier = $2 FROM (SELECT user_id, tier FROM users WHERE user_id = $1 FOR UPDATE) AS was
           WHERE u.user_id = was.user_id RETURNING was.tier AS "tier: UserTier""#,
        user.0,
        tier as UserTier
    )
    .fetch_one(&mut *db)
    .await?;
    let event = Event::new(Action::TierSet, Whom::User(user));
    audit::record(db, by, event.changed(json!({ "tier": before }), json!({ "tier": tier }))).await?;
    Ok(user)
}

async fn only_by_email(db: &mut PgConnection, email: &str) -> Result<UserId, DbError> {
    let found = sqlx::query_scalar!(
        r#"SELECT user_id AS "user_id: UserId" FROM users WHERE lower(email) = lower($1) AND deleted_at IS NULL LIMIT 2"#,
        email
    )
    .fetch_all(db)
    .await?;
    match found[..] {
        [] => Err(DbError::NotFound),
        [user] => Ok(user),
        _ => Err(DbError::Conflict("email_is_not_unique")),
    }
}

/// Turns an account into a tombstone: nothing of the person is kept but the `sub` that must not come back. Their videos
/// are deleted and purged at once.
pub async fn bury(db: &mut PgConnection, user: UserId, by: &By) -> Result<(), DbError> {
    let subject = sqlx::query_scalar!(
        "UPDATE users SET deleted_at = now(), email = NULL, email_verified = false, display_name = NULL, avatar_url = NULL
         WHERE user_id = $1 AND deleted_at IS NULL RETURNING supabase_user_id",
        user.0
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    sqlx::query!("DELETE FROM user_role_profiles WHERE user_id = $1", user.0).execute(&mut *db).await?;
    sqlx::query!("UPDATE api_tokens SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL", user.0)
        .execute(&mut *db)
        .await?;
    sqlx::query!("DELETE FROM auth_credentials WHERE id = $1", subject).execute(&mut *db).await?;
    let videos = sqlx::query_scalar!(
        r#"UPDATE videos SET state_before_delete = CASE WHEN state = 'deleted' THEN state_before_delete ELSE state END, state = 'deleted',
                             deleted_at = COALESCE(deleted_at, now()), purge_after = now()
           WHERE owner_id = $1 RETURNING video_id AS "video_id: crate::ids::VideoId""#,
        user.0
    )
    .fetch_all(&mut *db)
    .await?;
    let event = Event::new(Action::AccountDeleted, Whom::User(user));
    audit::record(&mut *db, by, event.changed(json!({ "videos": videos.len() }), json!(null))).await?;
    for video in videos {
        crate::videos::purge_at(&mut *db, user, video, None).await?;
    }
    Ok(())
}

/// What a person's library takes up.
#[derive(Clone, Copy, Debug)]
pub struct StorageUse {
    pub storage_bytes: i64,
    pub video_count: i64,
}

pub async fn storage_use(db: impl PgExecutor<'_>, user: UserId) -> Result<StorageUse, DbError> {
    let row = sqlx::query!(
        r#"SELECT COALESCE(sum(COALESCE(size_bytes, 0)), 0)::bigint AS "storage_bytes!", count(*) AS "video_count!"
           FROM videos WHERE owner_id = $1 AND state <> 'deleted'"#,
        user.0
    )
    .fetch_one(db)
    .await?;
    Ok(StorageUse { storage_bytes: row.storage_bytes, video_count: row.video_count })
}
