//! The network that looks at pictures, whatever its outputs mean.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ort::session::Session;
use ort::value::TensorRef;

use super::ImageOptions;
use super::table::{View, VisionTable};
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::onnx;
use crate::picture::{Part, Picture};

pub(super) struct Vision {
    session: Mutex<Session>,
    table: VisionTable,
    batch: usize,
    /// Numbers of one output row.
    width: usize,
}

impl Vision {
    /// `width` is what the graph's output must have for each picture, and `what` how a person would call that.
    pub(super) fn load(
        manifest: &Manifest,
        table: &VisionTable,
        options: ImageOptions,
        width: usize,
        what: &str,
    ) -> Result<Self, ModelError> {
        let path = table.check(manifest)?;
        let session = onnx::session(manifest, &path, options.threads, onnx::Inputs::Alike)?;
        onnx::expect_names(manifest, &path, &session, &[&table.input], &[&table.output])?;
        let batch = options.batch.max(1);
        let vision = Self { session: Mutex::new(session), table: table.clone(), batch, width };
        vision.probe(manifest, &path, what)?;
        Ok(vision)
    }

    /// Two grey views, to see what comes out.
    fn probe(&self, manifest: &Manifest, path: &Path, what: &str) -> Result<(), ModelError> {
        let mismatch = |expected: String, found: String| ModelError::Mismatch {
            id: manifest.id.clone(),
            path: path.to_owned(),
            expected,
            found,
        };
        let size = self.table.size;
        let found = self
            .run_raw(&vec![0.0; 2 * 3 * size * size], 2)
            .map_err(|error| mismatch(format!("an input of {size}×{size} pixels"), error.to_string()))?;
        if found.len() != 2 * self.width {
            let found = if found.len().is_multiple_of(2) {
                format!("{}", found.len() / 2)
            } else {
                "something else".to_owned()
            };
            return Err(mismatch(format!("{} {what}", self.width), found));
        }
        Ok(())
    }

    /// The output rows of every view of every picture: `[pictures][views][width]`, flat.
    pub(super) fn run(&self, pictures: &[Picture<'_>]) -> Result<Vec<f32>, ModelError> {
        let mut rows = Vec::with_capacity(pictures.len() * self.views() * self.width);
        let mut tensor = Vec::new();
        let mut waiting = 0;
        for picture in pictures {
            for &view in &self.table.views {
                let side = self.table.size;
                let seen = picture.resized_part_by(self.table.filter, part(view, picture), side, side)?;
                seen.as_picture().append_planes(self.table.mean, self.table.std, &mut tensor);
                waiting += 1;
                if waiting == self.batch {
                    rows.extend(self.run_raw(&tensor, waiting)?);
                    tensor.clear();
                    waiting = 0;
                }
            }
        }
        if waiting > 0 {
            rows.extend(self.run_raw(&tensor, waiting)?);
        }
        if rows.len() != pictures.len() * self.views() * self.width {
            return Err(ModelError::onnx("the graph's output changed its size"));
        }
        Ok(rows)
    }

    pub(super) fn views(&self) -> usize {
        self.table.views.len()
    }

    fn run_raw(&self, tensor: &[f32], count: usize) -> Result<Vec<f32>, ModelError> {
        let shape = [count, 3, self.table.size, self.table.size];
        let input = TensorRef::from_array_view((shape, tensor)).map_err(ModelError::onnx)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs![self.table.input.as_str() => input]).map_err(ModelError::onnx)?;
        let (_, data) = outputs[self.table.output.as_str()].try_extract_tensor::<f32>().map_err(ModelError::onnx)?;
        Ok(data.to_vec())
    }
}

fn part(view: View, picture: &Picture<'_>) -> Part {
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    match view {
        View::Whole => Part { left: 0.0, top: 0.0, width, height },
        View::Centre => {
            let side = width.min(height);
            Part { left: (width - side) / 2.0, top: (height - side) / 2.0, width: side, height: side }
        }
    }
}
