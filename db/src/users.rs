//! People: the row behind a verified token.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    audit::{self, Action, Actor, By, Event, Whom},
    enums::{UserRole, UserTier},
    error::DbError,
    ids::UserId,
    role_profiles::{self, RoleType},
    tasks::{self, NewTask},
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

/// A token's `sub`, and its session where sessions are ours (the embedded auth server).
pub type SubjectAndSession = (Uuid, Option<Uuid>);

/// The row of a token's `sub`, tombstones included, and whether the token's session still lives; without a session that is `true`.
pub async fn find_by_subject(
    db: impl PgExecutor<'_>,
    subject: Uuid,
    session: Option<Uuid>,
) -> Result<Option<(User, bool)>, DbError> {
    Ok(find_by_subjects(db, &[(subject, session)]).await?.pop().flatten())
}

/// As [`find_by_subject`], of many at once; the answers are in the order of `asked`.
pub async fn find_by_subjects(
    db: impl PgExecutor<'_>,
    asked: &[SubjectAndSession],
) -> Result<Vec<Option<(User, bool)>>, DbError> {
    let (subjects, sessions): (Vec<Uuid>, Vec<Option<Uuid>>) = asked.iter().copied().unzip();
    let rows = sqlx::query!(
        r#"SELECT a.place AS "place!", u.user_id AS "user_id: UserId", u.supabase_user_id, u.email, u.email_verified, u.display_name, u.avatar_url,
                  u.tier AS "tier: UserTier", u.role, u.role_chosen, u.created_at, u.last_login_at, u.deleted_at, u.claims_issued_at,
                  u.profile_edited_at,
                  ARRAY(SELECT p.role_type FROM user_role_profiles p WHERE p.user_id = u.user_id AND p.enabled ORDER BY 1) AS "role_profiles!",
                  (a.session IS NULL OR EXISTS (SELECT FROM auth_sessions s JOIN auth_credentials c ON c.id = s.credential_id
                      WHERE s.session_id = a.session AND s.credential_id = a.subject AND (c.banned_until IS NULL OR c.banned_until < now()))) AS "session_lives!"
           FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS a (subject, session, place) JOIN users u ON u.supabase_user_id = a.subject"#,
        &subjects,
        &sessions as &[Option<Uuid>]
    )
    .fetch_all(db)
    .await?;
    let mut found = vec![None; asked.len()];
    for r in rows {
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
        // Ordinality counts from 1.
        if let Some(place) = usize::try_from(r.place - 1).ok().and_then(|place| found.get_mut(place)) {
            *place = Some((user, r.session_lives));
        }
    }
    Ok(found)
}

/// Makes or renews the row of a token's `sub`. Only newer claims win, a tombstone is left alone, and what the person has
/// edited here is not overwritten. Any number of first requests at once make one row.
pub async fn upsert_from_claims(db: &mut PgConnection, claims: &ClaimedProfile) -> Result<User, DbError> {
    upsert(db, claims, true).await
}

/// As [`upsert_from_claims`], by what the project says of a person who need not be here at this moment.
pub async fn upsert_from_project(db: &mut PgConnection, claims: &ClaimedProfile) -> Result<User, DbError> {
    upsert(db, claims, false).await
}

async fn upsert(db: &mut PgConnection, claims: &ClaimedProfile, is_here: bool) -> Result<User, DbError> {
    sqlx::query!(
        "WITH person AS (
             INSERT INTO users AS u (supabase_user_id, email, email_verified, display_name, avatar_url, role, role_chosen, claims_issued_at, last_login_at)
             VALUES ($1, $2, $3, $4, $5, COALESCE($6, 'creator'), $6 IS NOT NULL, $7, CASE WHEN $8 THEN now() END)
             ON CONFLICT (supabase_user_id) DO UPDATE SET
                 email = excluded.email,
                 email_verified = excluded.email_verified,
                 display_name = CASE WHEN u.profile_edited_at IS NULL THEN COALESCE(excluded.display_name, u.display_name) ELSE u.display_name END,
                 avatar_url = CASE WHEN u.profile_edited_at IS NULL THEN COALESCE(excluded.avatar_url, u.avatar_url) ELSE u.avatar_url END,
                 claims_issued_at = excluded.claims_issued_at,
                 last_login_at = CASE WHEN $8 THEN now() ELSE u.last_login_at END
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
        claims.issued_at,
        is_here
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

/// Edits a person's profile.
pub async fn update_profile(db: &mut PgConnection, user: UserId, patch: &ProfilePatch, by: &By) -> Result<(), DbError> {
    let (set_name, name) = (patch.display_name.is_some(), patch.display_name.clone().flatten());
    let (set_avatar, avatar) = (patch.avatar_url.is_some(), patch.avatar_url.clone().flatten());
    let row = sqlx::query!(
        r#"UPDATE users u SET
             display_name = CASE WHEN $2 THEN $3 ELSE u.display_name END,
             avatar_url = CASE WHEN $4 THEN $5 ELSE u.avatar_url END,
             profile_edited_at = CASE WHEN $2 OR $4 THEN now() ELSE u.profile_edited_at END,
             role = COALESCE($6, u.role),
             role_chosen = u.role_chosen OR $6 IS NOT NULL
         FROM (SELECT user_id, jsonb_build_object('display_name', display_name, 'avatar_url', avatar_url, 'role', role, 'role_chosen', role_chosen) AS profile
               FROM users WHERE user_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE) AS was
         WHERE u.user_id = was.user_id
         RETURNING was.profile AS "before!",
                   jsonb_build_object('display_name', u.display_name, 'avatar_url', u.avatar_url, 'role', u.role, 'role_chosen', u.role_chosen) AS "after!""#,
        user.0,
        set_name,
        name,
        set_avatar,
        avatar,
        patch.role.map(UserRole::as_str)
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    if row.before != row.after {
        let event = Event::new(Action::ProfileChanged, Whom::User(user));
        audit::record(db, by, event.changed(row.before, row.after)).await?;
    }
    Ok(())
}

/// Sets a person's limits.
pub async fn set_tier(db: &mut PgConnection, user: UserId, tier: UserTier, by: &By) -> Result<(), DbError> {
    let before = sqlx::query_scalar!(
        r#"UPDATE users u SET tier = $2 FROM (SELECT user_id, tier FROM users WHERE user_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE) AS was
           WHERE u.user_id = was.user_id RETURNING was.tier AS "tier: UserTier""#,
        user.0,
        tier as UserTier
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(DbError::NotFound)?;
    if before != tier {
        let event = Event::new(Action::TierSet, Whom::User(user));
        audit::record(db, by, event.changed(json!({ "tier": before }), json!({ "tier": tier }))).await?;
    }
    Ok(())
}

/// The kind of the task that removes what a deleted account has left.
pub const PURGE_TASK: &str = "purge_account";

/// Turns an account into a tombstone: nothing of the person is kept but the `sub` that must not come back, and the history.
/// Credentials and sessions go at once; what hangs on the account is removed by a task of this transaction.
/// `Conflict("last_admin")` when the last admin would go by a person's hand.
pub async fn bury(db: &mut PgConnection, user: UserId, by: &By) -> Result<(), DbError> {
    if matches!(by.actor, Actor::Person(_)) {
        role_profiles::keep_an_admin(&mut *db, user).await?;
    }
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
    let videos = sqlx::query!(
        "UPDATE videos SET state_before_delete = CASE WHEN state = 'deleted' THEN state_before_delete ELSE state END, state = 'deleted',
                           deleted_at = COALESCE(deleted_at, now()), purge_after = now()
         WHERE owner_id = $1",
        user.0
    )
    .execute(&mut *db)
    .await?
    .rows_affected();
    let event = Event::new(Action::AccountDeleted, Whom::User(user));
    audit::record(&mut *db, by, event.changed(json!({ "videos": videos }), json!(null))).await?;
    let task = NewTask {
        kind: PURGE_TASK,
        owner_id: Some(user),
        video_id: None,
        payload: json!({ "user_id": user }),
        run_at: None,
    };
    tasks::enqueue(db, &task).await?;
    Ok(())
}

/// As [`bury`], for an account that is gone where it was made. One that was never seen here gets a tombstone, so that a token
/// which is still alive brings nobody back. Again: nothing.
pub async fn bury_subject(db: &mut PgConnection, subject: Uuid, by: &By) -> Result<(), DbError> {
    let made = sqlx::query!(
        "INSERT INTO users (supabase_user_id, deleted_at) VALUES ($1, now()) ON CONFLICT (supabase_user_id) DO NOTHING",
        subject
    )
    .execute(&mut *db)
    .await?
    .rows_affected();
    if made > 0 {
        return audit::record(db, by, Event::new(Action::AccountDeleted, Whom::Account(subject))).await;
    }
    let live = sqlx::query_scalar!(
        r#"SELECT user_id AS "user_id: UserId" FROM users WHERE supabase_user_id = $1 AND deleted_at IS NULL"#,
        subject
    )
    .fetch_optional(&mut *db)
    .await?;
    match live {
        Some(user) => bury(db, user, by).await,
        None => Ok(()),
    }
}

/// The `sub`s of people who are not tombstones, in order, after one.
pub async fn live_subjects(db: impl PgExecutor<'_>, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT supabase_user_id AS "subject!" FROM users
           WHERE supabase_user_id IS NOT NULL AND deleted_at IS NULL AND ($1::uuid IS NULL OR supabase_user_id > $1)
           ORDER BY supabase_user_id LIMIT $2"#,
        after,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// An account as an operator sees it.
#[derive(Clone, Debug)]
pub struct Account {
    pub user_id: UserId,
    pub supabase_user_id: Option<Uuid>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub display_name: Option<String>,
    pub tier: UserTier,
    pub role: String,
    pub role_profiles: Vec<String>,
    pub video_count: i64,
    pub storage_bytes: i64,
    pub duration_ms: i64,
    /// Counted since the UTC day began.
    pub uploads_today: i64,
    pub created_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Which accounts; `None` is any.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// A part of the e-mail address or the name.
    pub text: Option<String>,
    pub role_profile: Option<RoleType>,
    pub tier: Option<UserTier>,
    /// Tombstones instead of living accounts.
    pub deleted: bool,
}

/// Accounts, newest first, after one; for operators.
pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &AccountFilter,
    after: Option<(DateTime<Utc>, UserId)>,
    limit: i64,
) -> Result<Vec<Account>, DbError> {
    Ok(sqlx::query_as!(
        Account,
        r#"SELECT u.user_id AS "user_id: UserId", u.supabase_user_id, u.email, u.email_verified, u.display_name, u.tier AS "tier: UserTier", u.role,
                  ARRAY(SELECT p.role_type FROM user_role_profiles p WHERE p.user_id = u.user_id AND p.enabled ORDER BY 1) AS "role_profiles!",
                  v.video_count AS "video_count!", v.storage_bytes AS "storage_bytes!", v.duration_ms AS "duration_ms!",
                  COALESCE((SELECT q.used FROM quota_usage q WHERE q.user_id = u.user_id AND q.kind = 'uploads'
                            AND q.window_start = date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'), 0)::bigint AS "uploads_today!",
                  u.created_at, u.last_login_at, u.deleted_at
           FROM users u CROSS JOIN LATERAL (
               SELECT count(*) AS video_count, COALESCE(sum(size_bytes), 0)::bigint AS storage_bytes, COALESCE(sum(m.duration_ms), 0)::bigint AS duration_ms
               FROM videos LEFT JOIN video_metadata m USING (video_id) WHERE owner_id = u.user_id AND state <> 'deleted') v
           WHERE (u.deleted_at IS NOT NULL) = $1
             AND ($2::text IS NULL OR position(lower($2) IN lower(u.email)) > 0 OR position(lower($2) IN lower(u.display_name)) > 0)
             AND ($3::text IS NULL OR EXISTS (SELECT FROM user_role_profiles p WHERE p.user_id = u.user_id AND p.enabled AND p.role_type = $3))
             AND ($4::user_tier IS NULL OR u.tier = $4)
             AND ($5::timestamptz IS NULL OR (u.created_at, u.user_id) < ($5, $6))
           ORDER BY u.created_at DESC, u.user_id DESC LIMIT $7"#,
        filter.deleted,
        filter.text,
        filter.role_profile.map(RoleType::as_str),
        filter.tier as Option<UserTier>,
        after.map(|(at, _)| at),
        after.map(|(_, id)| id.0),
        limit
    )
    .fetch_all(db)
    .await?)
}

/// One account, tombstones included; for operators.
pub async fn account(db: impl PgExecutor<'_>, user: UserId) -> Result<Option<Account>, DbError> {
    Ok(sqlx::query_as!(
        Account,
        r#"SELECT u.user_id AS "user_id: UserId", u.supabase_user_id, u.email, u.email_verified, u.display_name, u.tier AS "tier: UserTier", u.role,
                  ARRAY(SELECT p.role_type FROM user_role_profiles p WHERE p.user_id = u.user_id AND p.enabled ORDER BY 1) AS "role_profiles!",
                  v.video_count AS "video_count!", v.storage_bytes AS "storage_bytes!", v.duration_ms AS "duration_ms!",
                  COALESCE((SELECT q.used FROM quota_usage q WHERE q.user_id = u.user_id AND q.kind = 'uploads'
                            AND q.window_start = date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'), 0)::bigint AS "uploads_today!",
                  u.created_at, u.last_login_at, u.deleted_at
           FROM users u CROSS JOIN LATERAL (
               SELECT count(*) AS video_count, COALESCE(sum(size_bytes), 0)::bigint AS storage_bytes, COALESCE(sum(m.duration_ms), 0)::bigint AS duration_ms
               FROM videos LEFT JOIN video_metadata m USING (video_id) WHERE owner_id = u.user_id AND state <> 'deleted') v
           WHERE u.user_id = $1"#,
        user.0
    )
    .fetch_optional(db)
    .await?)
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
