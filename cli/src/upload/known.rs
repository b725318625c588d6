//! What of this person's library has the name and the size of a file.

use std::collections::HashMap;

use uuid::Uuid;

use super::files;
use crate::{
    api::{Api, types::Video, with_query},
    failure::Result,
};

/// The API's most.
const PAGE: &str = "100";

/// A video that may be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// There or on its way.
    There { video_id: Uuid, title: String, state: String },
    /// Begun and not finished.
    Begun(Uuid),
}

/// The library by file name and size, the newest last.
#[derive(Default)]
pub struct Library(HashMap<(String, u64), Vec<Known>>);

impl Library {
    /// Reads the whole list once, however many files are sent.
    pub async fn read(api: &Api) -> Result<Self> {
        let mut library = Self::default();
        let mut cursor = String::new();
        loop {
            let query = [("limit", PAGE), ("sort", "oldest"), ("cursor", &*cursor)];
            let mut page = api.get(&with_query("/videos", &query)).await?;
            let videos: Vec<Video> = serde_json::from_value(page["items"].take())?;
            for video in videos {
                library.add(video);
            }
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return Ok(library),
            }
        }
    }

    fn add(&mut self, video: Video) {
        let known = match video.state.as_str() {
            "uploading" => Known::Begun(video.video_id),
            "validating" | "processing" | "indexed" => {
                Known::There { video_id: video.video_id, title: video.title, state: video.state }
            }
            // A failed one is sent again.
            _ => return,
        };
        self.0.entry((video.original_filename, video.size_bytes)).or_default().push(known);
    }

    /// What is to be done about a file: a video that is there goes before an upload that was begun. An upload is given out once:
    /// two files of the same name and size are two videos.
    pub fn take(&mut self, file: &files::Video, again: bool) -> Option<Known> {
        let all = self.0.get_mut(&(file.name.clone(), file.size_bytes))?;
        if !again && let Some(there) = all.iter().rev().find(|known| matches!(known, Known::There { .. })) {
            return Some(there.clone());
        }
        let begun = all.iter().rposition(|known| matches!(known, Known::Begun(_)))?;
        Some(all.remove(begun))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(number: u128, name: &str, size_bytes: u64, state: &str) -> Video {
        Video {
            video_id: Uuid::from_u128(number),
            title: "T".into(),
            state: state.into(),
            original_filename: name.into(),
            size_bytes,
            duration_ms: None,
            created_at: String::new(),
            failure: None,
            progress: None,
        }
    }

    fn file(name: &str, size_bytes: u64) -> files::Video {
        files::Video { path: name.into(), name: name.into(), size_bytes, modified: None, mime_type: "video/mp4" }
    }

    #[test]
    fn what_is_there_is_not_sent_twice_and_what_was_begun_is_gone_on_with_once() {
        let mut library = Library::default();
        for known in [
            video(1, "a.mp4", 9, "indexed"),
            video(2, "a.mp4", 9, "uploading"),
            video(3, "b.mp4", 9, "uploading"),
            video(4, "c.mp4", 9, "failed"),
        ] {
            library.add(known);
        }
        let there = library.take(&file("a.mp4", 9), false);
        assert!(matches!(there, Some(Known::There { video_id, .. }) if video_id == Uuid::from_u128(1)));
        assert_eq!(library.take(&file("a.mp4", 8), false), None);
        assert_eq!(library.take(&file("b.mp4", 9), false), Some(Known::Begun(Uuid::from_u128(3))));
        assert_eq!(library.take(&file("b.mp4", 9), false), None);
        assert_eq!(library.take(&file("c.mp4", 9), false), None);
        assert_eq!(library.take(&file("a.mp4", 9), true), Some(Known::Begun(Uuid::from_u128(2))));
        assert_eq!(library.take(&file("a.mp4", 9), true), None);
    }
}
