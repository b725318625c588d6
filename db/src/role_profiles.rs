//! What people may do (`user_role_profiles`). There is always somebody who can administer: the last admin stays one, unless a
//! command on the host insists.

use std::str::FromStr;

use serde_json::json;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    audit::{self, Action, By, Event, Whom},
    enums::UnknownValue,
    error::DbError,
    ids::UserId,
};

/// What a person may do; not to be confused with their `role`, which is a preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoleType {
    Member,
    /// Looks after the installation: sees accounts, queues and the history.
    Operator,
    /// Decides who may do what.
    Admin,
}

impl RoleType {
    pub const ALL: &'static [Self] = &[Self::Member, Self::Operator, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for RoleType {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text).ok_or_else(|| UnknownValue {
            value: text.to_owned(),
            kind: "role profile",
            expected: Self::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Lets a person do something. `false` if they could already.
pub async fn grant(
    db: &mut PgConnection,
    user: UserId,
    role: RoleType,
    granted_by: Option<UserId>,
    by: &By,
) -> Result<bool, DbError> {
    sqlx::query!("SELECT FROM users WHERE user_id = $1 AND deleted_at IS NULL FOR KEY SHARE", user.0)
        .fetch_optional(&mut *db)
        .await?
        .ok_or(DbError::NotFound)?;
    let changed = sqlx::query!(
        "INSERT INTO user_role_profiles AS p (user_id, role_type, granted_by) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, role_type) DO UPDATE SET enabled = true, granted_by = excluded.granted_by WHERE NOT p.enabled",
        user.0,
        role.as_str(),
        granted_by.map(|id| id.0)
    )
    .execute(&mut *db)
    .await?
    .rows_affected()
        > 0;
    if changed {
        let event = Event::new(Action::RoleProfileGranted, Whom::User(user));
        audit::record(db, by, event.changed(json!(null), json!({ "role_type": role.as_str() }))).await?;
    }
    Ok(changed)
}

/// Takes it back. `false` if they could not; `Conflict("last_admin")` for the last admin, also when two admins remove one
/// another at the same moment.
pub async fn revoke(db: &mut PgConnection, user: UserId, role: RoleType, by: &By) -> Result<bool, DbError> {
    if role == RoleType::Admin {
        keep_an_admin(&mut *db, user).await?;
    }
    revoke_even_the_last(db, user, role, by).await
}

/// As [`revoke`], for a command whose user insists.
pub async fn revoke_even_the_last(
    db: &mut PgConnection,
    user: UserId,
    role: RoleType,
    by: &By,
) -> Result<bool, DbError> {
    let changed = sqlx::query!(
        "UPDATE user_role_profiles SET enabled = false WHERE user_id = $1 AND role_type = $2 AND enabled",
        user.0,
        role.as_str()
    )
    .execute(&mut *db)
    .await?
    .rows_affected()
        > 0;
    if changed {
        let event = Event::new(Action::RoleProfileRevoked, Whom::User(user));
        audit::record(db, by, event.changed(json!({ "role_type": role.as_str() }), json!(null))).await?;
    }
    Ok(changed)
}

/// `Conflict("last_admin")` if nobody else is an admin. Holds the admins' rows until the transaction ends.
pub async fn keep_an_admin(db: &mut PgConnection, leaving: UserId) -> Result<(), DbError> {
    let admins = sqlx::query_scalar!(
        r#"SELECT p.user_id AS "user_id: UserId" FROM user_role_profiles p JOIN users u USING (user_id)
           WHERE p.role_type = 'admin' AND p.enabled AND u.deleted_at IS NULL ORDER BY p.user_id FOR UPDATE OF p"#
    )
    .fetch_all(db)
    .await?;
    if admins == [leaving] { Err(DbError::Conflict("last_admin")) } else { Ok(()) }
}

/// The only live account with an e-mail address. `NotFound`, or `Conflict("email_is_not_unique")`: SSO accounts may share one.
pub async fn only_by_email(db: impl PgExecutor<'_>, email: &str) -> Result<UserId, DbError> {
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

/// Whether a living person is an operator or an admin at this moment.
pub async fn may_operate(db: impl PgExecutor<'_>, user: UserId) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM user_role_profiles p JOIN users u USING (user_id)
               WHERE p.user_id = $1 AND p.role_type IN ('operator', 'admin') AND p.enabled AND u.deleted_at IS NULL) AS "may!""#,
        user.0
    )
    .fetch_one(db)
    .await?)
}
