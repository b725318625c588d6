//! One-time tokens: six digits sent to a mailbox, and the link that carries them. One of each kind at a time.

use std::time::Duration;

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::error::DbError;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sign-up and invitation.
    Confirmation,
    /// Recovery and magic link.
    Recovery,
    /// From the mailbox the account has.
    EmailChangeCurrent,
    /// From the mailbox it is to have.
    EmailChangeNew,
    Reauthentication,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Confirmation, Self::Recovery, Self::EmailChangeCurrent, Self::EmailChangeNew, Self::Reauthentication];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Recovery => "recovery",
            Self::EmailChangeCurrent => "email_change_current",
            Self::EmailChangeNew => "email_change_new",
            Self::Reauthentication => "reauthentication",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A token to be kept.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    pub credential: Uuid,
    pub kind: Kind,
    /// With `pkce_` before it where there is a challenge.
    pub token_hash: &'a str,
    /// The mailbox it is sent to.
    pub email: &'a str,
    /// Code challenge and its method (RFC 7636).
    pub challenge: Option<(&'a str, &'a str)>,
    pub ttl: Duration,
}

/// A token as kept.
#[derive(Clone, Debug)]
pub struct OneTime {
    pub credential_id: Uuid,
    pub kind: Kind,
    pub token_hash: String,
    pub email: String,
    pub challenge: Option<(String, String)>,
}

struct Row {
    credential_id: Uuid,
    kind: String,
    token_hash: String,
    email: String,
    code_challenge: Option<String>,
    challenge_method: Option<String>,
}

impl TryFrom<Row> for OneTime {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            credential_id: row.credential_id,
            kind: Kind::parse(&row.kind).ok_or(DbError::Conflict("unknown_kind_of_token"))?,
            token_hash: row.token_hash,
            email: row.email,
            challenge: row.code_challenge.zip(row.challenge_method),
        })
    }
}

fn names(kinds: &[Kind]) -> Vec<String> {
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// Keeps a token; the one of its kind before it is spent.
pub async fn put(db: impl PgExecutor<'_>, new: &NewToken<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO email_verification_tokens (credential_id, kind, token_hash, email, code_challenge, challenge_method, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
         ON CONFLICT (credential_id, kind) DO UPDATE SET token_hash = excluded.token_hash, email = excluded.email, attempts = 0,
             code_challenge = excluded.code_challenge, challenge_method = excluded.challenge_method, created_at = now(), expires_at = excluded.expires_at",
        new.credential,
        new.kind.as_str(),
        new.token_hash,
        new.email,
        new.challenge.map(|(challenge, _)| challenge),
        new.challenge.map(|(_, method)| method),
        new.ttl.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The living token of a link, spent by this very call; nobody else gets it.
pub async fn take_by_hash(
    db: impl PgExecutor<'_>,
    token_hash: &str,
    kinds: &[Kind],
) -> Result<Option<OneTime>, DbError> {
    sqlx::query_as!(
        Row,
        "DELETE FROM email_verification_tokens WHERE (credential_id, kind) = (
             SELECT credential_id, kind FROM email_verification_tokens
             WHERE token_hash = $1 AND kind = ANY($2) AND expires_at > now() LIMIT 1 FOR UPDATE)
           AND token_hash = $1
         RETURNING credential_id, kind, token_hash, email, code_challenge, challenge_method",
        token_hash,
        &names(kinds)
    )
    .fetch_optional(db)
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// The living tokens that were sent to a mailbox, locked until the transaction ends.
pub async fn of_mailbox(db: impl PgExecutor<'_>, email: &str, kinds: &[Kind]) -> Result<Vec<OneTime>, DbError> {
    sqlx::query_as!(
        Row,
        "SELECT credential_id, kind, token_hash, email, code_challenge, challenge_method FROM email_verification_tokens
         WHERE email = $1 AND kind = ANY($2) AND expires_at > now() ORDER BY credential_id, kind LIMIT 20 FOR UPDATE",
        email,
        &names(kinds)
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// A wrong guess at the tokens of a mailbox; after `limit` of them they are spent.
pub async fn miss(db: impl PgExecutor<'_>, email: &str, kinds: &[Kind], limit: i32) -> Result<(), DbError> {
    sqlx::query!(
        "WITH guessed AS (
             UPDATE email_verification_tokens SET attempts = attempts + 1 WHERE email = $1 AND kind = ANY($2) AND attempts + 1 < $3)
         DELETE FROM email_verification_tokens WHERE email = $1 AND kind = ANY($2) AND attempts + 1 >= $3",
        email,
        &names(kinds),
        limit
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Spends a token. True when it was still there.
pub async fn spend(db: impl PgExecutor<'_>, credential: Uuid, kind: Kind) -> Result<bool, DbError> {
    let spent = sqlx::query!(
        "DELETE FROM email_verification_tokens WHERE credential_id = $1 AND kind = $2",
        credential,
        kind.as_str()
    )
    .execute(db)
    .await?;
    Ok(spent.rows_affected() > 0)
}

/// Spends every token of an account.
pub async fn spend_all(db: impl PgExecutor<'_>, credential: Uuid) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM email_verification_tokens WHERE credential_id = $1", credential).execute(db).await?;
    Ok(())
}
