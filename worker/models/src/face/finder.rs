//! What finds faces in a picture: one shape for every architecture.

use super::types::{Effort, Landmarks};
use crate::error::ModelError;
use crate::manifest::Manifest;
use crate::picture::Picture;

/// A face as a finder sees it.
pub(super) struct Sighting {
    /// 0 to 1.
    pub score: f32,
    /// Left, top, right, bottom in pixels of the picture.
    pub bounds: [f64; 4],
    pub landmarks: Landmarks,
    /// Yaw, pitch and roll (see [`super::Quality`]).
    pub angles_deg: [f32; 3],
}

/// Networks that say where faces are and which way they look.
pub(super) trait Finder: Send {
    /// Runs each network once.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] naming the file, what was expected and what was found.
    fn try_out(&mut self, manifest: &Manifest) -> Result<(), ModelError>;

    /// The surest first; two may turn out to be one face.
    fn find(&mut self, picture: Picture<'_>, effort: Effort) -> Result<Vec<Sighting>, ModelError>;
}
