//! One continuous clock for containers whose time stamps may jump: a recording that was switched over, or put together from
//! pieces, counts anew in the middle. As in FFmpeg's own program (ffmpeg.c, `process_input`, containers with `AVFMT_TS_DISCONT`):
//! whoever meets the jump first moves the clock of all streams.

/// Time stamps that go forward by more are a jump and no gap.
const FORWARD_US: i64 = 10_000_000;
/// Within a stream decoding order never goes back; a little is rounding.
const BACK_US: i64 = 500_000;

/// What to add to time stamps so that they go on where they were.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_us: i64,
    /// By stream: when its next packet is due on the continuous clock.
    due_us: Vec<Option<i64>>,
}

impl Clock {
    /// Takes the next packet of a stream, `at_us` by its own time stamp, and returns what has to be added to it.
    pub(crate) fn offset(&mut self, stream: usize, at_us: i64, duration_us: i64) -> i64 {
        if self.due_us.len() <= stream {
            self.due_us.resize(stream + 1, None);
        }
        let at = at_us.saturating_add(self.offset_us);
        if let Some(due) = self.due_us[stream]
            && !(due.saturating_sub(BACK_US)..=due.saturating_add(FORWARD_US)).contains(&at)
        {
            self.offset_us = due.saturating_sub(at_us);
        }
        self.due_us[stream] = Some(at_us.saturating_add(self.offset_us).saturating_add(duration_us.max(0)));
        self.offset_us
    }

    /// After a seek nothing is due.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_US: i64 = 40_000;

    #[test]
    fn gaps_stay_and_jumps_are_closed() {
        let mut clock = Clock::default();
        assert_eq!(clock.offset(0, 0, FRAME_US), 0);
        assert_eq!(clock.offset(0, 5_000_000, FRAME_US), 0, "five seconds without reception");
        assert_eq!(clock.offset(0, 900_000_000, FRAME_US), 5_040_000 - 900_000_000, "another recording");
        assert_eq!(clock.offset(0, 900_040_000, FRAME_US), 5_040_000 - 900_000_000);
        assert_eq!(clock.offset(0, 0, FRAME_US), 5_120_000, "and the first one again");
    }

    #[test]
    fn sound_follows_the_picture_over_a_jump() {
        let mut clock = Clock::default();
        let (sound, picture) = (1, 0);
        clock.offset(picture, 0, 1_000_000);
        clock.offset(sound, 0, 1_020_000);
        let moved = clock.offset(picture, 60_000_000, FRAME_US);
        assert_eq!(moved, -59_000_000);
        assert_eq!(clock.offset(sound, 60_010_000, FRAME_US), moved, "they stay as they were to each other");
    }

    #[test]
    fn the_ends_of_the_scale_do_not_overflow() {
        let mut clock = Clock::default();
        for at in [i64::MIN, i64::MAX, 0, i64::MIN + 1] {
            clock.offset(3, at, i64::MAX);
        }
    }
}
