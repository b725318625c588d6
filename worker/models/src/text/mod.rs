//! Text to vectors: a sentence encoder on ONNX Runtime.

mod pooling;
mod spelling;
mod windows;

use std::sync::{Mutex, PoisonError};

use ort::session::Session;
use ort::value::TensorRef;
use tokenizers::{Tokenizer, TruncationParams};

pub use pooling::Pooling;
pub use windows::split_windows;

use self::spelling::Spelling;
use crate::asr::tokens::read_tokenizer;
use crate::error::ModelError;
use crate::manifest::{Kind, Manifest};
use crate::onnx;

/// The last one is missing in models of the RoBERTa family.
const INPUTS: [&str; 3] = ["input_ids", "attention_mask", "token_type_ids"];
/// Sentences in one run; more does not raise the throughput on a CPU.
const BATCH: usize = 32;
/// Tokens (padding included) in one run, which bounds the memory of long texts.
const BATCH_TOKENS: usize = 4096;

/// One run at a time. A query is asked for at once by what compares it with what is said and by an image model that stands on this one
/// (`conse`): the second finds the vector of the first.
struct Engine {
    session: Session,
    /// Token ids of the last text that was alone in its run, and its vector.
    last: Option<(Vec<u32>, Vec<f32>)>,
}

/// A loaded sentence encoder; calls take turns.
pub struct TextEmbedder {
    engine: Mutex<Engine>,
    /// Cuts at the model's longest input.
    tokenizer: Tokenizer,
    /// Cuts nothing: for counting.
    counter: Tokenizer,
    spelling: Spelling,
    output: String,
    pooling: Pooling,
    with_types: bool,
    dimension: usize,
    max_tokens: usize,
    passage_prefix: String,
    query_prefix: String,
    similarity_floor: f32,
    similarity_even: f32,
}

impl TextEmbedder {
    /// Loads it from a verified manifest, with `threads` CPU threads of its own, and embeds one word to see that the vectors
    /// have the manifest's dimension.
    ///
    /// # Errors
    /// [`ModelError::Runtime`] without ONNX Runtime; [`ModelError::Mismatch`] naming the file, what was expected and what was
    /// found when the graph has other inputs, outputs or dimensions.
    pub fn load(manifest: &Manifest, threads: usize) -> Result<Self, ModelError> {
        manifest.expect_kind(Kind::Text)?;
        let path = manifest.file_with_suffix("onnx")?;
        let mismatch = |expected: String, found: String| ModelError::Mismatch {
            id: manifest.id.clone(),
            path: path.clone(),
            expected,
            found,
        };
        let (Some(dimension), Some(max_tokens)) = (manifest.dimension, manifest.preprocessing.max_tokens) else {
            return Err(mismatch("a dimension and max_tokens in the manifest".to_owned(), "none".to_owned()));
        };
        let output = manifest.preprocessing.output.clone().unwrap_or_else(|| "sentence_embedding".to_owned());
        let session = onnx::session(manifest, &path, threads, onnx::Inputs::OfAnySize)?;
        let with_types = session.inputs().len() != 2;
        let inputs = if with_types { &INPUTS[..] } else { &INPUTS[..2] };
        onnx::expect_names(manifest, &path, &session, inputs, &[&output])?;

        let mut counter = read_tokenizer(manifest, &manifest.folder.join("tokenizer.json"))?;
        counter.with_padding(None);
        counter.with_truncation(None).map_err(ModelError::tokenizer)?;
        let mut tokenizer = counter.clone();
        tokenizer
            .with_truncation(Some(TruncationParams { max_length: max_tokens, ..TruncationParams::default() }))
            .map_err(ModelError::tokenizer)?;

        let embedder = Self {
            engine: Mutex::new(Engine { session, last: None }),
            tokenizer,
            spelling: Spelling::new(counter.get_vocab(false)),
            counter,
            output,
            pooling: manifest.preprocessing.pooling,
            with_types,
            dimension,
            max_tokens,
            passage_prefix: manifest.preprocessing.passage_prefix.clone(),
            query_prefix: manifest.preprocessing.query_prefix.clone(),
            similarity_floor: manifest.preprocessing.similarity_floor(),
            similarity_even: manifest.preprocessing.similarity_even(),
        };
        let probe = embedder.run(&[vec![0; 2], vec![0; 2]])?;
        if probe.len() != 2 * dimension {
            return Err(mismatch(
                format!("vectors of dimension {dimension}"),
                format!("dimension {}", probe.len() / 2),
            ));
        }
        Ok(embedder)
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Cosine similarity below which two texts say different things.
    pub fn similarity_floor(&self) -> f32 {
        self.similarity_floor
    }

    /// Cosine similarity at which a text says what a query asks for as probably as not.
    pub fn similarity_even(&self) -> f32 {
        self.similarity_even
    }

    /// Longest input in tokens, the two special tokens included; longer text is cut there.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// How many tokens the text is, special tokens included, uncut.
    ///
    /// # Errors
    /// [`ModelError::Engine`] when the tokenizer refuses the text.
    pub fn count_tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(self.counter.encode_fast(text, true).map_err(ModelError::tokenizer)?.len())
    }

    /// The text with the words that are probably meant, where some are misspelt: words that the model knows, and which it reads by their
    /// meaning. `None` where none is, and of models whose vocabulary is none of English words.
    pub fn corrected(&self, text: &str) -> Option<String> {
        self.spelling.corrected(text)
    }

    /// Whether the model knows enough of the words for its vector to mean something; what it does not know it reads in pieces. Of models
    /// whose vocabulary is none of English words it is assumed.
    pub fn reads(&self, text: &str) -> bool {
        self.spelling.reads(text)
    }

    /// Vectors of texts to be found, in the order of the texts: each of [`Self::dimension`], of L2 norm 1.
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.embed_with(&self.passage_prefix, texts)
    }

    /// Vector of a search query, in the same space.
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    pub fn embed_query(&self, text: &str) -> Result<Vec<f32>, ModelError> {
        let vectors = self.embed_with(&self.query_prefix, &[text])?;
        vectors.into_iter().next().ok_or_else(|| ModelError::onnx("no vector for the query"))
    }

    /// Splits a text that is given as pieces (words or sentences) into windows that fit the model; see [`split_windows`].
    ///
    /// # Errors
    /// [`ModelError::Engine`].
    pub fn windows(&self, pieces: &[&str], overlap_tokens: usize) -> Result<Vec<std::ops::Range<usize>>, ModelError> {
        let prefix =
            if self.passage_prefix.is_empty() { 0 } else { self.count_tokens(&self.passage_prefix)?.saturating_sub(2) };
        let counts: Result<Vec<usize>, ModelError> =
            pieces.iter().map(|piece| Ok(self.count_tokens(piece)?.saturating_sub(2))).collect();
        Ok(split_windows(&counts?, self.max_tokens.saturating_sub(2 + prefix), overlap_tokens))
    }

    fn embed_with(&self, prefix: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut rows: Vec<(usize, Vec<u32>)> = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let encoded = if prefix.is_empty() {
                self.tokenizer.encode_fast(*text, true)
            } else {
                self.tokenizer.encode_fast(format!("{prefix}{text}"), true)
            };
            rows.push((index, encoded.map_err(ModelError::tokenizer)?.get_ids().to_vec()));
        }
        // Texts of like length share a run, so that little is spent on padding.
        rows.sort_by_key(|(index, ids)| (ids.len(), *index));
        let mut vectors = vec![Vec::new(); texts.len()];
        let mut at = 0;
        while at < rows.len() {
            let until = batch_end(&rows, at);
            let (indexes, ids): (Vec<usize>, Vec<Vec<u32>>) = rows[at..until].iter().cloned().unzip();
            let found = self.run(&ids)?;
            for (index, vector) in indexes.into_iter().zip(found.chunks_exact(self.dimension)) {
                vectors[index] = vector.to_vec();
            }
            at = until;
        }
        Ok(vectors)
    }

    /// One run of the graph over token ids, padded to the longest: `[count * dimension]`.
    fn run(&self, rows: &[Vec<u32>]) -> Result<Vec<f32>, ModelError> {
        let (count, length) = (rows.len(), rows.iter().map(Vec::len).max().unwrap_or(0));
        let mut ids = vec![0i64; count * length];
        let mut mask = vec![0i64; count * length];
        for (index, row) in rows.iter().enumerate() {
            for (place, token) in row.iter().enumerate() {
                ids[index * length + place] = i64::from(*token);
                mask[index * length + place] = 1;
            }
        }
        let types = vec![0i64; count * length];
        let view = |data| TensorRef::from_array_view(([count, length], data)).map_err(ModelError::onnx);
        let [ids, mask, types] = [view(ids.as_slice())?, view(mask.as_slice())?, view(types.as_slice())?];
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let Engine { session, last } = &mut *engine;
        if let ([row], Some((known, vector))) = (rows, &*last)
            && row == known
        {
            return Ok(vector.clone());
        }
        let outputs = if self.with_types {
            session.run(ort::inputs![INPUTS[0] => ids, INPUTS[1] => mask, INPUTS[2] => types])
        } else {
            session.run(ort::inputs![INPUTS[0] => ids, INPUTS[1] => mask])
        };
        let outputs = outputs.map_err(ModelError::onnx)?;
        let (_, data) = outputs[self.output.as_str()].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let vectors = self.pooling.pool(data, &lengths, length);
        if let [row] = rows {
            *last = Some((row.clone(), vectors.clone()));
        }
        Ok(vectors)
    }
}

/// Rows ascend in length, so the last one of a batch decides what the batch is padded to.
fn batch_end(rows: &[(usize, Vec<u32>)], from: usize) -> usize {
    let mut until = from + 1;
    while until < rows.len() && until - from < BATCH && (until - from + 1) * rows[until].1.len() <= BATCH_TOKENS {
        until += 1;
    }
    until
}
