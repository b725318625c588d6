//! What a tier may use, and counting it so that a limit holds when requests come at once.

use chrono::{DateTime, Days, DurationRound, NaiveTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    enums::UserTier,
    error::DbError,
    ids::{UserId, VideoId},
};

/// Limits of one tier; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TierLimits {
    pub uploads_per_day: Option<i32>,
    pub max_duration_s: Option<i64>,
    pub max_size_bytes: i64,
    pub searches_per_minute: Option<i32>,
}

const GIB: i64 = 1 << 30;
/// The largest object of S3.
const MAX_OBJECT_BYTES: i64 = 5 << 40;

/// A variable whose value is no limit.
#[derive(Debug, thiserror::Error)]
#[error("{name}: `{value}` is not {expected}")]
pub struct LimitError {
    pub name: &'static str,
    pub value: String,
    pub expected: &'static str,
}

/// What each tier may use. The API and the worker read it from the same variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    free: TierLimits,
    pro: TierLimits,
    enterprise: TierLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            free: TierLimits {
                uploads_per_day: Some(3),
                max_duration_s: Some(600),
                max_size_bytes: GIB,
                searches_per_minute: Some(60),
            },
            pro: TierLimits {
                uploads_per_day: Some(50),
                max_duration_s: Some(4 * 3600),
                max_size_bytes: 16 * GIB,
                searches_per_minute: Some(300),
            },
            enterprise: TierLimits {
                uploads_per_day: None,
                max_duration_s: None,
                max_size_bytes: 256 * GIB,
                searches_per_minute: None,
            },
        }
    }
}

/// Declares the variables of each tier: `HEIMDEX_FREE_UPLOADS_PER_DAY` and so on.
macro_rules! read_tier {
    ($lookup:expr, $default:expr, $tier:literal) => {{
        let (lookup, own): (&dyn Fn(&'static str) -> Option<String>, TierLimits) = ($lookup, $default);
        TierLimits {
            uploads_per_day: limit(lookup, concat!("HEIMDEX_", $tier, "_UPLOADS_PER_DAY"), own.uploads_per_day)?,
            max_duration_s: limit(lookup, concat!("HEIMDEX_", $tier, "_MAX_DURATION_S"), own.max_duration_s)?,
            max_size_bytes: size(lookup, concat!("HEIMDEX_", $tier, "_MAX_SIZE_BYTES"), own.max_size_bytes)?,
            searches_per_minute: limit(
                lookup,
                concat!("HEIMDEX_", $tier, "_SEARCHES_PER_MINUTE"),
                own.searches_per_minute,
            )?,
        }
    }};
}

impl Limits {
    /// Reads them from a source of variables; 0 is no limit, and what is not said stays as it is.
    pub fn read(lookup: &dyn Fn(&'static str) -> Option<String>) -> Result<Self, LimitError> {
        let own = Self::default();
        Ok(Self {
            free: read_tier!(lookup, own.free, "FREE"),
            pro: read_tier!(lookup, own.pro, "PRO"),
            enterprise: read_tier!(lookup, own.enterprise, "ENTERPRISE"),
        })
    }

    pub const fn of(&self, tier: UserTier) -> TierLimits {
        match tier {
            UserTier::Free => self.free,
            UserTier::Pro => self.pro,
            UserTier::Enterprise => self.enterprise,
        }
    }
}

fn given(lookup: &dyn Fn(&'static str) -> Option<String>, name: &'static str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn limit<T: std::str::FromStr + PartialOrd + Default>(
    lookup: &dyn Fn(&'static str) -> Option<String>,
    name: &'static str,
    own: Option<T>,
) -> Result<Option<T>, LimitError> {
    let Some(value) = given(lookup, name) else { return Ok(own) };
    match value.parse::<T>() {
        Ok(number) if number >= T::default() => Ok(Some(number).filter(|number| *number > T::default())),
        _ => Err(LimitError { name, value, expected: "a whole number from 1, or 0 for no limit" }),
    }
}

fn size(lookup: &dyn Fn(&'static str) -> Option<String>, name: &'static str, own: i64) -> Result<i64, LimitError> {
    let Some(value) = given(lookup, name) else { return Ok(own) };
    match value.parse() {
        Ok(bytes) if (1..=MAX_OBJECT_BYTES).contains(&bytes) => Ok(bytes),
        _ => Err(LimitError { name, value, expected: "a number of bytes from 1 to 5 TiB" }),
    }
}

/// What is counted, and in which windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// A window is a UTC day.
    Uploads,
    /// A window is a minute.
    Searches,
    /// A window is an hour.
    Exports,
}

impl Quota {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Searches => "searches",
            Self::Exports => "exports",
        }
    }

    fn window(self, at: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        match self {
            Self::Uploads => {
                let start = at.date_naive().and_time(NaiveTime::MIN).and_utc();
                (start, start + Days::new(1))
            }
            Self::Exports => {
                let start = at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
                (start, start + TimeDelta::hours(1))
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

    #[test]
    fn limits_are_what_the_environment_says() {
        let limits = Limits::read(&|name| match name {
            "HEIMDEX_FREE_UPLOADS_PER_DAY" => Some("7".into()),
            "HEIMDEX_PRO_MAX_DURATION_S" => Some("0".into()),
            "HEIMDEX_ENTERPRISE_MAX_SIZE_BYTES" => Some(" 1000 ".into()),
            _ => None,
        })
        .unwrap();
        assert_eq!(limits.of(UserTier::Free).uploads_per_day, Some(7));
        assert_eq!(limits.of(UserTier::Pro).max_duration_s, None);
        assert_eq!(limits.of(UserTier::Enterprise).max_size_bytes, 1000);
        assert_eq!(limits.of(UserTier::Free).max_duration_s, Some(600));
        for (wrong, value) in [
            ("HEIMDEX_FREE_MAX_DURATION_S", "long"),
            ("HEIMDEX_PRO_MAX_SIZE_BYTES", "0"),
            ("HEIMDEX_PRO_UPLOADS_PER_DAY", "-1"),
        ] {
            let error = Limits::read(&|name| (name == wrong).then(|| value.to_owned())).unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
        }
    }
}
