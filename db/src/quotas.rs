//! What a tier may use, and counting it so that a limit holds when requests come at once.

use chrono::{DateTime, Days, DurationRound, NaiveTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    enums::UserTier,
    error::DbError,
    ids::{UserId, VideoId},
};

/// Limits of one tier; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierLimits {
    pub uploads_per_day: Option<i32>,
    pub max_duration_s: Option<i64>,
    pub max_size_bytes: i64,
    pub searches_per_minute: Option<i32>,
}

const GIB: i64 = 1 << 30;

impl TierLimits {
    pub const fn of(tier: UserTier) -> Self {
        match tier {
            UserTier::Free => Self {
                uploads_per_day: Some(3),
                max_duration_s: Some(600),
                max_size_bytes: GIB,
                searches_per_minute: Some(60),
            },
            UserTier::Pro => Self {
                uploads_per_day: Some(50),
                max_duration_s: Some(4 * 3600),
                max_size_bytes: 16 * GIB,
                searches_per_minute: Some(300),
            },
            UserTier::Enterprise => Self {
                uploads_per_day: None,
                max_duration_s: None,
                max_size_bytes: 256 * GIB,
                searches_per_minute: None,
            },
        }
    }
}

/// What is counted, and in which windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// A window is a UTC day.
    Uploads,
    /// A window is a minute.
    Searches,
}

impl Quota {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Searches => "searches",
        }
    }

    fn window(self, at: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        match self {
            Self::Uploads => {
                let start = at.date_naive().and_time(NaiveTime::MIN).and_utc();
                (start, start + Days::new(1))
            }
            Self::Searches => {
                let start = at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at);
                (start, start + TimeDelta::minutes(1))
            }
        }
    }
}

/// A person's use of one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaUse {
    pub used: i32,
    pub limit: i32,
    pub resets_at: DateTime<Utc>,
}

/// Uses one, or says that none is left. One statement: two requests cannot both take the last.
pub async fn take(
    db: impl PgExecutor<'_>,
    user: UserId,
    quota: Quota,
    limit: i32,
    now: DateTime<Utc>,
) -> Result<Result<QuotaUse, QuotaUse>, DbError> {
    let (start, resets_at) = quota.window(now);
    if limit <= 0 {
        return Ok(Err(QuotaUse { used: 0, limit, resets_at }));
    }
    let used = sqlx::query_scalar!(
        "INSERT INTO quota_usage AS q (user_id, kind, window_start, used) VALUES ($1, $2, $3, 1)
         ON CONFLICT (user_id, kind, window_start) DO UPDATE SET used = q.used + 1 WHERE q.used < $4
         RETURNING used",
        user.0,
        quota.as_str(),
        start,
        limit
    )
    .fetch_optional(db)
    .await?;
    Ok(match used {
        Some(used) => Ok(QuotaUse { used, limit, resets_at }),
        None => Err(QuotaUse { used: limit, limit, resets_at }),
    })
}

/// Used so far in the window that `now` is in, and when that window ends.
pub async fn used(
    db: impl PgExecutor<'_>,
    user: UserId,
    quota: Quota,
    now: DateTime<Utc>,
) -> Result<(i32, DateTime<Utc>), DbError> {
    let (start, resets_at) = quota.window(now);
    let used = sqlx::query_scalar!(
        "SELECT used FROM quota_usage WHERE user_id = $1 AND kind = $2 AND window_start = $3",
        user.0,
        quota.as_str(),
        start
    )
    .fetch_optional(db)
    .await?;
    Ok((used.unwrap_or(0), resets_at))
}

/// Gives an upload back to the day it was counted on; at most once for a video. For aborted and rejected uploads.
pub async fn give_back_upload(db: &mut PgConnection, video: VideoId) -> Result<(), DbError> {
    sqlx::query!(
        "WITH counted AS (
             UPDATE videos v SET counted_on = NULL FROM (SELECT video_id, owner_id, counted_on FROM videos WHERE video_id = $1 FOR UPDATE) AS was
             WHERE v.video_id = was.video_id AND was.counted_on IS NOT NULL
             RETURNING was.owner_id, was.counted_on
         )
         UPDATE quota_usage q SET used = q.used - 1 FROM counted
         WHERE q.user_id = counted.owner_id AND q.kind = 'uploads' AND q.used > 0
           AND q.window_start = (counted.counted_on::timestamp AT TIME ZONE 'UTC')",
        video.0
    )
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_its_moment() {
        let at: DateTime<Utc> = "2026-02-28T23:59:59.5Z".parse().unwrap();
        let (start, end) = Quota::Uploads.window(at);
        assert_eq!(
            (start.to_rfc3339(), end.to_rfc3339()),
            ("2026-02-28T00:00:00+00:00".into(), "2026-03-01T00:00:00+00:00".into())
        );
        let (start, end) = Quota::Searches.window(at);
        assert_eq!(
            (start.to_rfc3339(), end.to_rfc3339()),
            ("2026-02-28T23:59:00+00:00".into(), "2026-03-01T00:00:00+00:00".into())
        );
    }
}
