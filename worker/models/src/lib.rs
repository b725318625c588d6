//! The models: speech, text, what pictures show, what is written in them and whose faces they show, with no knowledge of video or
//! database.
//!
//! [`Registry`] finds a model's folder by id and verifies its files; [`Whisper`], [`Vad`], [`TextEmbedder`], [`TextReader`],
//! [`FaceAnalyzer`], [`ExpressionClassifier`], [`Dictionary`] and [`image`]'s are loaded from what it returns. Two engines do the work:
//! CTranslate2 for Whisper, ONNX Runtime for all other networks. Everything here blocks: async callers use `spawn_blocking`. All are `Send + Sync` and
//! meant to be shared.

pub mod asr;
mod dictionary;
mod error;
pub mod expression;
pub mod face;
pub mod image;
mod manifest;
pub mod ocr;
mod onnx;
pub mod picture;
mod registry;
pub mod tags;
pub mod text;
pub mod vad;

pub use asr::{AsrOptions, ComputeType, Samples, TranscribeOptions, Transcript, WavFile, Whisper};
pub use dictionary::Dictionary;
pub use error::ModelError;
pub use expression::ExpressionClassifier;
pub use face::FaceAnalyzer;
pub use image::{ImageEncoder, ImageOptions, ImageTexts};
pub use manifest::{Kind, Manifest, ModelFile};
pub use ocr::TextReader;
pub use picture::Picture;
pub use registry::Registry;
pub use text::TextEmbedder;
pub use vad::{Vad, VadOptions};
