//! The filters of `POST /search` that come beside the query.

use chrono::{DateTime, Utc};
use heimdex_db::{
    PersonId, VideoId,
    search::{Affect, AffectBound, Filters},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{domain, error::ApiError};

#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchFilters {
    video_ids: Option<Vec<Uuid>>,
    created_after: Option<DateTime<Utc>>,
    created_before: Option<DateTime<Utc>>,
    min_duration_s: Option<f64>,
    max_duration_s: Option<f64>,
    /// ISO 639-1.
    languages: Option<Vec<String>>,
    /// Ids of tags, or what they are called in any language.
    tags: Option<Vec<String>>,
    affect: Option<AffectFilter>,
    /// Any of these people is in the scene.
    people: Option<Vec<Uuid>>,
}

/// Bounds, both ends inside. A scene of which a value is not known is outside.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AffectFilter {
    /// -1 to 1
    valence: Option<AffectBounds>,
    /// 0 to 1
    arousal: Option<AffectBounds>,
    /// 0 to 1
    energy: Option<AffectBounds>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AffectBounds {
    min: Option<f64>,
    max: Option<f64>,
}

/// Checks bounds and lengths.
pub fn filters(given: SearchFilters) -> Result<Filters, ApiError> {
    let ms = |seconds: Option<f64>, field: &str| match seconds {
        None => Ok(None),
        Some(s) if (0.0..=1e9).contains(&s) => Ok(Some((s * 1000.0) as i64)),
        Some(_) => {
            Err(ApiError::field(format!("filters.{field}"), "out_of_range", format!("{field} must be at least 0.")))
        }
    };
    let texts = |list: Option<Vec<String>>, field: &str| match list {
        None => Ok(None),
        Some(list) if list.is_empty() => Ok(None),
        Some(list) if list.len() > 100 => Err(ApiError::field(format!("filters.{field}"), "too_many", "At most 100.")),
        Some(list) => list
            .iter()
            .map(|text| domain::line(&format!("filters.{field}"), text, 60))
            .collect::<Result<Vec<_>, _>>()
            .map(Some),
    };
    if given.video_ids.as_ref().is_some_and(|ids| ids.len() > 1000) {
        return Err(ApiError::field("filters.video_ids", "too_many", "At most 1000 videos."));
    }
    if given.people.as_ref().is_some_and(|ids| ids.len() > 100) {
        return Err(ApiError::field("filters.people", "too_many", "At most 100 people."));
    }
    Ok(Filters {
        people: given.people.filter(|ids| !ids.is_empty()).map(|ids| ids.into_iter().map(PersonId::from).collect()),
        video_ids: given.video_ids.map(|ids| ids.into_iter().map(VideoId::from).collect()),
        created_after: domain::time("filters.created_after", given.created_after)?,
        created_before: domain::time("filters.created_before", given.created_before)?,
        min_duration_ms: ms(given.min_duration_s, "min_duration_s")?,
        max_duration_ms: ms(given.max_duration_s, "max_duration_s")?,
        languages: texts(given.languages, "languages")?.map(|all| all.iter().map(|l| l.to_lowercase()).collect()),
        tags: texts(given.tags, "tags")?,
        affect: affect_bounds(given.affect.unwrap_or_default())?,
        conditions: Vec::new(),
        as_of: None,
    })
}

fn affect_bounds(given: AffectFilter) -> Result<Vec<AffectBound>, ApiError> {
    let asked = [
        ("valence", Affect::Valence, given.valence, -1.0),
        ("arousal", Affect::Arousal, given.arousal, 0.0),
        ("energy", Affect::Energy, given.energy, 0.0),
    ];
    let mut bounds = Vec::new();
    for (name, affect, asked, least) in asked {
        let Some(AffectBounds { min, max }) = asked else { continue };
        let (min, max) = (min.unwrap_or(least), max.unwrap_or(1.0));
        if !(least <= min && min <= max && max <= 1.0) {
            let sentence = format!("{name} is between {least} and 1, and min is not above max.");
            return Err(ApiError::field(format!("filters.affect.{name}"), "out_of_range", sentence));
        }
        bounds.push(AffectBound { affect, min, max });
    }
    Ok(bounds)
}
