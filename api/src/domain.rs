//! What people write, parsed at the edge: texts of bounded length without control characters, tags, file names, pages.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use heimdex_db::enums::UnknownValue;
use serde::Deserialize;

use crate::error::ApiError;

/// Checks a one-line text: trimmed, 1 to `max` characters, no control characters.
pub fn line(field: &str, text: &str, max: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ApiError::field(field, "empty", format!("{field} must not be empty.")));
    }
    if text.chars().count() > max {
        return Err(ApiError::field(field, "too_long", format!("{field} must not be longer than {max} characters.")));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::field(
            field,
            "control_characters",
            format!("{field} must not contain control characters."),
        ));
    }
    Ok(text.to_owned())
}

/// Checks a text of several lines; it may be empty.
pub fn paragraph(field: &str, text: &str, max: usize) -> Result<String, ApiError> {
    if text.chars().count() > max {
        return Err(ApiError::field(field, "too_long", format!("{field} must not be longer than {max} characters.")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(ApiError::field(
            field,
            "control_characters",
            format!("{field} must not contain control characters."),
        ));
    }
    Ok(text.trim().to_owned())
}

/// One of a few words, such as a stage or a tier.
pub fn word<T: FromStr<Err = UnknownValue>>(field: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: UnknownValue| ApiError::field(field, "unknown", error.to_string()))
}

/// What a parameter says; blanks say nothing, just as if it had been left out.
pub fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// A parameter that is a [`line`].
pub fn given_line(field: &str, text: Option<&str>, max: usize) -> Result<Option<String>, ApiError> {
    given(text).map(|text| line(field, text, max)).transpose()
}

/// A parameter that is a [`word`].
pub fn given_word<T: FromStr<Err = UnknownValue>>(field: &str, text: Option<&str>) -> Result<Option<T>, ApiError> {
    given(text).map(|text| word(field, text)).transpose()
}

/// Whether a time is in the years 0 to 9999: others that can be written in JSON cannot be stored.
pub fn is_in_calendar(at: DateTime<Utc>) -> bool {
    (0..=9999).contains(&at.year())
}

/// Checks a time; see [`is_in_calendar`].
pub fn time(field: &str, at: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, ApiError> {
    if at.is_none_or(is_in_calendar) {
        return Ok(at);
    }
    Err(ApiError::field(field, "out_of_range", format!("{field} must be in the years 0 to 9999.")))
}

/// At most 50 tags of at most 60 characters, each once.
pub fn tags(given: &[String]) -> Result<Vec<String>, ApiError> {
    if given.len() > 50 {
        return Err(ApiError::field("tags", "too_many", "A video has at most 50 tags."));
    }
    let mut tags = Vec::with_capacity(given.len());
    for tag in given {
        let tag = line("tags", tag, 60)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// A file's name as the person sees it; a path's last part.
pub fn file_name(text: &str) -> Result<String, ApiError> {
    line("filename", text.rsplit(['/', '\\']).next().unwrap_or(text), 255)
}

/// `video/…`, `audio/…` and the like, or empty when the browser knows none.
pub fn mime_type(text: &str) -> Result<String, ApiError> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return Ok("application/octet-stream".into());
    }
    let token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    let essence = text.split(';').next().unwrap_or("").trim();
    match essence.split_once('/') {
        Some((kind, subtype)) if essence.len() <= 127 && token(kind) && token(subtype) => Ok(essence.to_owned()),
        _ => Err(ApiError::field("mime_type", "invalid", "mime_type must look like video/mp4.")),
    }
}

/// A SHA-256 as 64 hexadecimal digits.
pub fn sha256(field: &str, text: &str) -> Result<[u8; 32], ApiError> {
    let mut bytes = [0; 32];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(ApiError::field(field, "invalid", format!("{field} must be 64 hexadecimal digits."))),
    }
}

/// How much of a list is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Limit(Option<u32>);

impl Limit {
    /// Between 1 and `max`, else `default`.
    pub fn or(self, default: u32, max: u32) -> Result<u32, ApiError> {
        match self.0 {
            None => Ok(default),
            Some(limit) if (1..=max).contains(&limit) => Ok(limit),
            Some(_) => Err(ApiError::field("limit", "out_of_range", format!("limit must be between 1 and {max}."))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_loses_its_path_and_keeps_its_letters() {
        assert_eq!(file_name(r"C:\clips\민지 우는 장면.mp4").unwrap(), "민지 우는 장면.mp4");
        assert!(file_name("a\0b").is_err());
        assert!(file_name("clips/").is_err());
    }

    #[test]
    fn a_sha256_has_exactly_its_length_and_no_other_letters() {
        assert_eq!(sha256("sha256", &"0aF1".repeat(16)).unwrap()[..2], [0x0a, 0xf1]);
        for wrong in ["", "0a", &"0a".repeat(33), &"0g".repeat(32), &"é".repeat(32)] {
            assert!(sha256("sha256", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mime_type_loses_its_parameters() {
        assert_eq!(mime_type("Video/MP4; codecs=avc1").unwrap(), "video/mp4");
        assert_eq!(mime_type("").unwrap(), "application/octet-stream");
        assert!(mime_type("video").is_err());
        assert!(mime_type("video/mp4\r\nx: y").is_err());
    }
}
