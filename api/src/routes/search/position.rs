//! Where a page of a search ended, as its cursor holds it.

use chrono::{DateTime, Utc};
use heimdex_db::search::ListedAfter;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{cursor, domain, error::ApiError, search::run::After};

/// The last hit, its place, and when the first page was asked for.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Position {
    scene: Uuid,
    place: usize,
    as_of: cursor::Time,
    /// Where there was nothing to look for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<ListedAfter>,
}

impl Position {
    /// Where a request goes on, if it does; `request` is what must be the same on every page.
    pub(super) fn read(request: &impl Serialize, cursor: Option<&str>) -> Result<Option<Self>, ApiError> {
        let position: Option<Self> = cursor::decode(request, cursor)?;
        let listed = position.and_then(|position| position.listed);
        if listed.is_some_and(|last| !domain::is_in_calendar(last.created_at)) {
            return Err(cursor::invalid());
        }
        Ok(position)
    }

    /// The cursor of the next page, where there is one; `as_of` is when the first was asked for.
    pub(super) fn next(request: &impl Serialize, as_of: DateTime<Utc>, next: Option<After>) -> Option<String> {
        let as_of = cursor::Time(as_of);
        next.map(|After { scene_id, place, listed }| {
            cursor::encode(request, &Self { scene: scene_id, place, as_of, listed })
        })
    }

    /// When the first page was asked for: later pages see what that one saw.
    pub(super) fn as_of(self) -> DateTime<Utc> {
        self.as_of.0
    }

    pub(super) fn after(self) -> After {
        After { scene_id: self.scene, place: self.place, listed: self.listed }
    }
}
