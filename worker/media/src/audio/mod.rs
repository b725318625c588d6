//! Sound: one mono track at 16 kHz whose sample 0 is media time 0.

mod extract;
mod loudness;
mod read;

pub use extract::{AudioInfo, SAMPLE_RATE, TrackChoice, extract};
pub use loudness::LoudnessMeter;
pub use read::{PcmReader, read_pcm_f32};
