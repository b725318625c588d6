//! The only place that touches FFmpeg's pointers. Everything above it is safe code.

pub(crate) mod clock;
pub(crate) mod decoder;
pub(crate) mod encode;
pub(crate) mod input;
pub(crate) mod mux;
pub(crate) mod planes;
pub(crate) mod scale;
pub(crate) mod sound;
pub(crate) mod stream;

use std::sync::Once;

use ffmpeg_next as ffmpeg;

/// Registers FFmpeg once and silences its log: its words come back as errors, and stderr belongs to the child's host.
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // `ffmpeg::init` only registers what is compiled in; it cannot fail on the versions supported here.
        let _ = ffmpeg::init();
        ffmpeg::log::set_level(ffmpeg::log::Level::Quiet);
    });
}

/// Microseconds from a time stamp and its time base, without overflow.
pub(crate) fn micros(ticks: i64, base: ffmpeg::Rational) -> i64 {
    let den = i128::from(base.denominator().max(1));
    let scaled = i128::from(ticks) * i128::from(base.numerator()) * 1_000_000;
    let half = if scaled < 0 { -den / 2 } else { den / 2 };
    i64::try_from((scaled + half) / den).unwrap_or(i64::MAX)
}

/// Time stamp in ticks of a time base from microseconds, without overflow.
pub(crate) fn ticks(us: i64, base: ffmpeg::Rational) -> i64 {
    let unit = i128::from(base.numerator().max(1)) * 1_000_000;
    i64::try_from(i128::from(us) * i128::from(base.denominator().max(1)) / unit).unwrap_or(i64::MAX)
}

/// Rounds microseconds to milliseconds.
pub(crate) fn to_ms(us: i64) -> i64 {
    (us + if us < 0 { -500 } else { 500 }) / 1000
}

/// Codec parameters that do not keep their file open.
pub(crate) fn own_parameters(parameters: &ffmpeg::codec::Parameters) -> ffmpeg::codec::Parameters {
    let mut own = ffmpeg::codec::Parameters::new();
    own.clone_from(parameters);
    own
}
