//! People: who the owner has named, clusters of unknown faces, their photos, and where they are seen.
//!
//! Recognising people needs their consent: without it recorded, no photo is taken and no cluster is named (422
//! `consent_required`). Where the operator has not switched faces on, all of this answers 404 `feature_off`.

pub mod create;
pub mod decide;
pub mod edit;
pub mod list;
pub mod photos;
pub mod scenes;
pub mod shape;

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{
    error::{ApiError, Code},
    state::AppState,
};

/// That this deployment recognises faces. Taken after the caller: whoever is not signed in is told that first.
pub struct Faces;

impl FromRequestParts<AppState> for Faces {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if state.config.features.faces {
            return Ok(Self);
        }
        Err(ApiError::new(Code::FeatureOff).detail("Recognising people is switched off on this installation."))
    }
}
