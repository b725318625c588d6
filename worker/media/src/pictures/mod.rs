//! Pictures after the decode: encoding, thumbnails, sprites, and which frames are worth keeping. Pure Rust but for libwebp's
//! encoder; it reads only JPEGs that we wrote ourselves.

mod hash;
mod jpeg;
mod measure;
mod select;
mod sprite;
mod webp;

pub use crate::av::scale::Rgb;
pub use hash::{hamming, phash};
pub use jpeg::{decode_jpeg, encode_jpeg, read_jpeg};
pub(crate) use measure::measure;
pub use measure::{Colour, brightness, colour, contrast, sharpness};
pub use select::{FrameFacts, select};
pub use sprite::{Sprite, SpriteTile, sprite};
pub use webp::{encode_webp, resize};
