//! How a person names a video: its id, or a link to it.

use std::str::FromStr;

use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoRef(pub Uuid);

impl FromStr for VideoRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = match text.split_once("/videos/") {
            Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or(rest),
            None => text,
        };
        let id = Uuid::try_parse(id).map_err(|_| {
            "a video is named by its id or the link to its page; `heimdex videos` shows them".to_owned()
        })?;
        Ok(Self(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_is_named_by_its_id_or_any_link_to_it() {
        let id = "0193c0de-0000-7000-8000-000000000001";
        for text in [id.to_owned(), format!("http://h/app/videos/{id}?t=1200"), format!("/videos/{id}/transcript")] {
            assert_eq!(text.parse(), Ok(VideoRef(Uuid::try_parse(id).unwrap())), "{text}");
        }
        assert!("rain.mp4".parse::<VideoRef>().is_err());
    }
}
