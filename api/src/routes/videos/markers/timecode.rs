//! SMPTE timecode (ST 12-1): times as hours, minutes, seconds and frames of a rate.
//!
//! At 29.97 and 59.94 frames a second the count is *drop-frame*: the first two (four) numbers of each minute but every tenth are
//! left out, so that the clock stays with the wall's. 23.976 and all other rates are counted without.

/// How many pictures a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// Numbers that a second has: 24 for 23.976.
    pub count: i64,
    /// Slower than that by 1000/1001.
    pub ntsc: bool,
}

impl Rate {
    /// The rate that a file's average is of; others than the usual are rounded.
    pub(super) fn of(fps: f64) -> Self {
        for count in [24_i32, 30, 48, 60, 120] {
            let slow = f64::from(count) * 1000.0 / 1001.0;
            // Half of what lies between the two rates.
            if (fps - slow).abs() < (f64::from(count) - slow) / 2.0 {
                return Self { count: count.into(), ntsc: true };
            }
        }
        // A rate that is no number has been refused long before; a clamp holds it all the same.
        Self { count: if fps.is_finite() { fps.round().clamp(1.0, 240.0) as i64 } else { 25 }, ntsc: false }
    }

    pub(super) fn is_drop_frame(self) -> bool {
        self.ntsc && matches!(self.count, 30 | 60)
    }

    /// The frame that is nearest to a time, from 0.
    pub(super) fn frame_at(self, ms: i64) -> i64 {
        let per = if self.ntsc { 1001 } else { 1000 };
        let doubled = 2 * i128::from(ms.max(0)) * i128::from(self.count) + per;
        i64::try_from(doubled / (2 * per)).unwrap_or(i64::MAX)
    }

    /// Frames as a rational number of seconds, as FCPXML writes it.
    pub(super) fn seconds(self, frames: i64) -> String {
        match (frames, self.ntsc) {
            (0, _) => "0s".into(),
            (frames, true) => format!("{}/{}s", frames * 1001, self.count * 1000),
            (frames, false) => format!("{frames}/{}s", self.count),
        }
    }

    /// `01:02:03:04`, or `01:02:03;04` in drop-frame; after a day it begins again.
    pub(super) fn timecode(self, frame: i64) -> String {
        let drop = if self.is_drop_frame() { self.count / 15 } else { 0 };
        let (minute, ten) = (self.count * 60 - drop, self.count * 600 - 9 * drop);
        let frame = frame.rem_euclid(ten * 6 * 24);
        let (tens, rest) = (frame / ten, frame % ten);
        // The first minute of ten is whole, the nine others each leave their first numbers out.
        let left_out = if rest < drop { 0 } else { (rest - drop) / minute };
        let number = frame + drop * (9 * tens + left_out);
        let (seconds, frames) = (number / self.count, number % self.count);
        let mark = if self.is_drop_frame() { ';' } else { ':' };
        format!("{:02}:{:02}:{:02}{mark}{frames:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NTSC_30: Rate = Rate { count: 30, ntsc: true };

    /// The number of a timecode, counted by the rule itself.
    fn frame_of(rate: Rate, code: &str) -> i64 {
        let parts: Vec<i64> = code.split([':', ';']).map(|part| part.parse().unwrap()).collect();
        let minutes = parts[0] * 60 + parts[1];
        let drop = if rate.is_drop_frame() { rate.count / 15 } else { 0 };
        (minutes * 60 + parts[2]) * rate.count + parts[3] - drop * (minutes - minutes / 10)
    }

    fn rates() -> impl Strategy<Value = Rate> {
        prop::sample::select(vec![23.976, 24.0, 25.0, 29.97, 30.0, 47.952, 50.0, 59.94, 60.0, 12.5]).prop_map(Rate::of)
    }

    #[test]
    fn rates_are_recognised_as_files_state_them() {
        for (fps, count, ntsc) in [
            (23.976, 24, true),
            (24_000.0 / 1001.0, 24, true),
            (24.0, 24, false),
            (25.0, 25, false),
            (29.97, 30, true),
            (30.0, 30, false),
            (59.94, 60, true),
            (60.0, 60, false),
            (14.99, 15, false),
        ] {
            assert_eq!(Rate::of(fps), Rate { count, ntsc }, "{fps}");
        }
    }

    #[test]
    fn numbers_are_dropped_at_each_minute_but_the_tenth() {
        for (frame, code) in [
            (0, "00:00:00;00"),
            (1799, "00:00:59;29"),
            (1800, "00:01:00;02"),
            (17_981, "00:09:59;29"),
            (17_982, "00:10:00;00"),
            (107_892, "01:00:00;00"),
        ] {
            assert_eq!(NTSC_30.timecode(frame), code);
        }
        assert_eq!(Rate::of(59.94).timecode(3600), "00:01:00;04");
        assert_eq!(Rate::of(23.976).timecode(1440), "00:01:00:00", "no numbers are dropped at 23.976");
        assert_eq!(Rate::of(25.0).timecode(25 * 86_400), "00:00:00:00", "a day later it begins again");
    }

    proptest! {
        #[test]
        fn a_timecode_names_its_frame(rate in rates(), frame in 0_i64..1_000_000) {
            prop_assert_eq!(frame_of(rate, &rate.timecode(frame)), frame);
        }

        #[test]
        fn drop_frame_stays_with_the_clock(ms in 0_i64..86_000_000) {
            let code = NTSC_30.timecode(NTSC_30.frame_at(ms));
            let parts: Vec<i64> = code.split([':', ';']).map(|part| part.parse().unwrap()).collect();
            let shown_ms = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3] * 1000 / 30;
            prop_assert!((shown_ms - ms).abs() < 200, "{} at {}", code, ms);
        }

        #[test]
        fn a_frame_is_within_half_of_one_of_its_time(rate in rates(), ms in 0_i64..86_400_000) {
            let fps = rate.count as f64 / if rate.ntsc { 1.001 } else { 1.0 };
            let exact = ms as f64 * fps / 1000.0;
            prop_assert!((rate.frame_at(ms) as f64 - exact).abs() <= 0.5 + 1e-6);
        }
    }
}
