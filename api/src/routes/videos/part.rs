//! A part of a video, as clips and shares name it.

use heimdex_db::{UserId, VideoId, videos};

use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// Shorter, and there may be no picture in it.
const SHORTEST_MS: i64 = 200;

/// A part that lies in the video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub start_ms: i64,
    pub end_ms: i64,
}

impl Part {
    /// Checks a part of the owner's video, at most `longest_ms` long. 404 when the video is not theirs, 409 `not_playable_yet`
    /// before its file has been looked at.
    pub async fn of(
        state: &AppState,
        owner: UserId,
        video: VideoId,
        (start_ms, end_ms): (i64, i64),
        longest_ms: i64,
    ) -> Result<Self, ApiError> {
        videos::exists(&state.pool, owner, video).await?;
        let metadata = videos::metadata(&state.pool, owner, video)
            .await?
            .ok_or_else(|| ApiError::new(Code::NotPlayableYet).detail("The file has not been looked at yet."))?;
        Self::within(start_ms, end_ms, metadata.duration_ms, longest_ms)
    }

    fn within(start_ms: i64, end_ms: i64, duration_ms: i64, longest_ms: i64) -> Result<Self, ApiError> {
        if !(0..duration_ms).contains(&start_ms) {
            return Err(ApiError::field("start_ms", "out_of_range", "start_ms must be a time in the video."));
        }
        // Scenes may end a little after the length that the file states.
        let end_ms = end_ms.min(duration_ms);
        if end_ms.saturating_sub(start_ms) < SHORTEST_MS.min(duration_ms - start_ms) || end_ms <= start_ms {
            let least = format!("end_ms must be at least {SHORTEST_MS} ms after start_ms.");
            return Err(ApiError::field("end_ms", "out_of_range", least));
        }
        if end_ms - start_ms > longest_ms {
            let most = format!("The part must not be longer than {} minutes.", longest_ms / 60_000);
            return Err(ApiError::field("end_ms", "too_long", most));
        }
        Ok(Self { start_ms, end_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_in_its_video_and_has_a_length() {
        let part = |start, end| Part::within(start, end, 10_000, 5000).ok().map(|part| (part.start_ms, part.end_ms));
        assert_eq!(part(0, 5000), Some((0, 5000)));
        assert_eq!(part(9000, 12_000), Some((9000, 10_000)), "up to the end");
        assert_eq!(part(9900, 10_000), Some((9900, 10_000)), "what is left of the video is enough");
        for (start, end) in
            [(-1, 1000), (10_000, 11_000), (1000, 1000), (2000, 1000), (0, 100), (0, 5001), (0, i64::MIN)]
        {
            assert_eq!(part(start, end), None, "{start} to {end}");
        }
    }
}
