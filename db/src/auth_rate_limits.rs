//! How often something may be tried, shared by all API processes.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor};

use crate::error::DbError;

/// What a bucket says to one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Within,
    /// The first attempt of the window that is too many.
    FirstOver,
    Over,
}

/// Counts one attempt in a bucket; windows are fixed.
pub async fn take(db: impl PgExecutor<'_>, bucket: &str, window: Duration, limit: i32) -> Result<Taken, DbError> {
    let used = sqlx::query_scalar!(
        "INSERT INTO auth_rate_limits AS r (bucket, window_start, used) VALUES ($1, date_bin(make_interval(secs => $2), now(), 'epoch'), 1)
         ON CONFLICT (bucket, window_start) DO UPDATE SET used = LEAST(r.used + 1, $3 + 2)
         RETURNING used",
        bucket,
        window.as_secs_f64(),
        limit
    )
    .fetch_one(db)
    .await?;
    Ok(match used - limit {
        ..=0 => Taken::Within,
        1 => Taken::FirstOver,
        _ => Taken::Over,
    })
}

/// Whether the attempts so far have used a bucket up; counts nothing.
pub async fn is_used_up(db: impl PgExecutor<'_>, bucket: &str, window: Duration, limit: i32) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM auth_rate_limits
               WHERE bucket = $1 AND window_start = date_bin(make_interval(secs => $2), now(), 'epoch') AND used >= $3) AS "used_up!""#,
        bucket,
        window.as_secs_f64(),
        limit
    )
    .fetch_one(db)
    .await?)
}

/// Allows one mail of a bucket in each interval. `Err` holds the seconds that are left.
pub async fn space_mails(db: &mut PgConnection, bucket: &str, interval: Duration) -> Result<Result<(), i64>, DbError> {
    let allowed = sqlx::query!(
        "INSERT INTO auth_mail_times AS t (bucket) VALUES ($1)
         ON CONFLICT (bucket) DO UPDATE SET sent_at = now() WHERE t.sent_at <= now() - make_interval(secs => $2) RETURNING true AS allowed",
        bucket,
        interval.as_secs_f64()
    )
    .fetch_optional(&mut *db)
    .await?;
    if allowed.is_some() {
        return Ok(Ok(()));
    }
    let left = sqlx::query_scalar!(
        r#"SELECT ceil(extract(epoch FROM sent_at + make_interval(secs => $2) - now()))::bigint AS "left!" FROM auth_mail_times WHERE bucket = $1"#,
        bucket,
        interval.as_secs_f64()
    )
    .fetch_optional(db)
    .await?;
    Ok(Err(left.unwrap_or(1).max(1)))
}

/// Clears away tokens, codes, windows and mails that are long over.
pub async fn sweep(db: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM auth_rate_limits WHERE window_start < now() - interval '1 day'")
        .execute(&mut *db)
        .await?;
    sqlx::query!("DELETE FROM auth_mail_times WHERE sent_at < now() - interval '1 day'").execute(&mut *db).await?;
    sqlx::query!("DELETE FROM email_verification_tokens WHERE expires_at < now() - interval '1 day'")
        .execute(&mut *db)
        .await?;
    sqlx::query!("DELETE FROM auth_flows WHERE expires_at < now() - interval '1 day'").execute(&mut *db).await?;
    sqlx::query!("DELETE FROM mail_outbox WHERE created_at < now() - interval '7 days'").execute(db).await?;
    Ok(())
}
