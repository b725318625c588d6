//! Attempts per address and account in fixed windows, shared by all API processes.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::error::DbError;

/// Counts one attempt in a bucket and returns whether it is within `limit` for the window.
pub async fn take(db: impl PgExecutor<'_>, bucket: &str, window: Duration, limit: i32) -> Result<bool, DbError> {
    let used = sqlx::query_scalar!(
        "INSERT INTO auth_rate_limits AS r (bucket, window_start, used) VALUES ($1, date_bin(make_interval(secs => $2), now(), 'epoch'), 1)
         ON CONFLICT (bucket, window_start) DO UPDATE SET used = LEAST(r.used + 1, $3 + 1)
         RETURNING used",
        bucket,
        window.as_secs_f64(),
        limit
    )
    .fetch_one(db)
    .await?;
    Ok(used <= limit)
}
