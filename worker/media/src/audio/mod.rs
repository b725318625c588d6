//! Sound: one mono track at 16 kHz whose sample 0 is media time 0.

mod extract;
mod loudness;
mod read;
pub(crate) mod timeline;
mod voice;

pub use extract::{AudioInfo, SAMPLE_RATE, TrackChoice, extract};
pub(crate) use extract::{candidates, open};
pub use loudness::LoudnessMeter;
pub use read::{PcmReader, read_pcm_f32};
pub use voice::{PitchMeter, SoundCurve};
