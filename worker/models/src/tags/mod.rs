//! Tags of pictures: vectors in, scores out.
//!
//! A [`Vocabulary`] says which tags there are and what the image encoder's text side is to be asked for each; a [`TagScorer`] compares
//! pictures with the answers. Neither knows which encoder made the vectors: what differs between encoders is in [`Calibration`].

mod scorer;
mod vocabulary;

pub use scorer::{Calibration, TagScorer};
pub use vocabulary::{Label, Tag, Vocabulary, VocabularyError};
