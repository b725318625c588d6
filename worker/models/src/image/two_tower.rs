//! Two networks that were trained together, one for pictures and one for texts: CLIP (Radford et al., "Learning Transferable Visual
//! Models From Natural Language Supervision", 2021), SigLIP 2 (Tschannen et al., 2025), MobileCLIP (Vasu et al., 2024), as ONNX graphs
//! that end in one vector a picture or text.

use std::sync::{Mutex, PoisonError};

use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;
use tokenizers::{Tokenizer, TruncationParams};

use super::table::{ImageTable, TextTable};
use super::vision::Vision;
use super::{ImageEncoder, ImageOptions, ImageTexts, dimension, normalised, pooled};
use crate::asr::tokens::read_tokenizer;
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::onnx;
use crate::picture::Picture;

/// Texts in one run.
const BATCH: usize = 16;

pub(super) struct Pictures {
    id: String,
    vision: Vision,
    dimension: usize,
}

impl Pictures {
    pub(super) fn load(manifest: &Manifest, table: &ImageTable, options: ImageOptions) -> Result<Self, ModelError> {
        let dimension = dimension(manifest)?;
        let vision = Vision::load(manifest, &table.vision, options, dimension, "numbers a vector")?;
        Ok(Self { id: manifest.id.clone(), vision, dimension })
    }
}

impl ImageEncoder for Pictures {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed_pictures(&self, pictures: &[Picture<'_>]) -> Result<Vec<Option<Vec<f32>>>, ModelError> {
        let rows = self.vision.run(pictures)?;
        let of_picture = |views: &[f32]| {
            let views: Vec<_> =
                views.chunks_exact(self.dimension).filter_map(|view| normalised(view.to_vec())).collect();
            pooled(views.iter().map(Vec::as_slice))
        };
        Ok(rows.chunks_exact(self.dimension * self.vision.views()).map(of_picture).collect())
    }
}

pub(super) struct Texts {
    id: String,
    session: Mutex<Session>,
    tokenizer: Tokenizer,
    table: TextTable,
    dimension: usize,
}

impl Texts {
    pub(super) fn load(manifest: &Manifest, table: &ImageTable, threads: usize) -> Result<Self, ModelError> {
        let (dimension, table) = (dimension(manifest)?, table.text(manifest)?);
        let path = manifest.listed(&table.graph)?;
        let session = onnx::session(manifest, &path, threads, onnx::Inputs::OfAnySize)?;
        let inputs: Vec<&str> = std::iter::once(table.ids.as_str()).chain(table.mask.as_deref()).collect();
        onnx::expect_names(manifest, &path, &session, &inputs, &[&table.output])?;
        let mut tokenizer = read_tokenizer(manifest, &manifest.listed(&table.tokenizer)?)?;
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(Some(TruncationParams { max_length: table.max_tokens, ..TruncationParams::default() }))
            .map_err(ModelError::tokenizer)?;
        let texts =
            Self { id: manifest.id.clone(), session: Mutex::new(session), tokenizer, table: table.clone(), dimension };
        let mismatch = |expected: String, found: String| ModelError::Mismatch {
            id: manifest.id.clone(),
            path: path.clone(),
            expected,
            found,
        };
        let probe = texts
            .run(&[vec![0; 2], vec![0; 2]])
            .map_err(|error| mismatch(format!("inputs of {} tokens", table.max_tokens), error.to_string()))?;
        if probe.len() != 2 * dimension {
            return Err(mismatch(format!("{dimension} numbers a vector"), format!("{}", probe.len() / 2)));
        }
        Ok(texts)
    }

    /// As the model was shown texts in training.
    fn prepared(&self, text: &str) -> String {
        let text = match &self.table.template {
            Some(template) => template.replacen("{}", text, 1),
            None => text.to_owned(),
        };
        if self.table.lowercase { text.to_lowercase() } else { text }
    }

    /// One run of the graph over token ids: `[count * dimension]`.
    fn run(&self, rows: &[Vec<u32>]) -> Result<Vec<f32>, ModelError> {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let (count, length) = (rows.len(), if self.table.pad_to_max { self.table.max_tokens } else { longest });
        let mut ids = vec![i64::from(self.table.pad_id); count * length];
        let mut mask = vec![0_i64; count * length];
        for (index, row) in rows.iter().enumerate() {
            for (place, token) in row.iter().take(length).enumerate() {
                ids[index * length + place] = i64::from(*token);
                mask[index * length + place] = 1;
            }
        }
        let view = |data| TensorRef::from_array_view(([count, length], data)).map_err(ModelError::onnx);
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = vec![(&self.table.ids, view(ids.as_slice())?.into())];
        if let Some(name) = &self.table.mask {
            inputs.push((name, view(mask.as_slice())?.into()));
        }
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(inputs).map_err(ModelError::onnx)?;
        let (_, data) = outputs[self.table.output.as_str()].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
        Ok(data.to_vec())
    }
}

impl ImageTexts for Texts {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(BATCH) {
            let ids: Result<Vec<_>, _> = texts
                .iter()
                .map(|text| self.tokenizer.encode_fast(self.prepared(text), true).map(|e| e.get_ids().to_vec()))
                .collect();
            let rows = self.run(&ids.map_err(ModelError::tokenizer)?)?;
            for row in rows.chunks_exact(self.dimension) {
                let vector = normalised(row.to_vec());
                vectors.push(vector.ok_or_else(|| ModelError::onnx("the vector of a text has no length"))?);
            }
        }
        Ok(vectors)
    }
}
