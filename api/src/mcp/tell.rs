//! Answers in a few lines, for clients that show a model or a person nothing but text: with times as m:ss, with the ids that
//! other tools take, and with links that open the player at the moment.

use std::fmt::Write;

use axum::http::HeaderMap;
use serde_json::Value;

use crate::{routes::config::own_origin, state::AppState};

/// Of what is said or written in one line.
const MOST_CHARS: usize = 300;

/// Where the dashboard is.
pub struct Links(String);

impl Links {
    /// As the configuration says, else as this caller reached the API.
    pub fn of(state: &AppState, headers: &HeaderMap) -> Self {
        let config = &state.config;
        let trim = |url: &url::Url| url.as_str().trim_end_matches('/').to_owned();
        Self(match (&config.auth.embedded.site_url, &config.public_url) {
            (Some(app), _) => trim(app),
            (None, Some(public)) => format!("{}/app", trim(public)),
            (None, None) => format!("{}/app", own_origin(headers, state)),
        })
    }

    fn video(&self, id: &str) -> String {
        format!("{}/videos/{id}", self.0)
    }

    fn moment(&self, video: &str, at_ms: i64) -> String {
        format!("{}/videos/{video}?t={at_ms}", self.0)
    }

    fn person(&self, id: &str) -> String {
        format!("{}/people/{id}", self.0)
    }
}

/// Hits of a search, or scenes like another.
pub fn moments(answer: &Value, links: &Links) -> String {
    let hits = items(answer);
    let mut out = match hits.len() {
        0 => "No moment fits.\n".to_owned(),
        1 => "1 moment:\n".to_owned(),
        n => format!("{n} moments, the best first:\n"),
    };
    for note in list(answer, "notes") {
        let _ = writeln!(out, "Note: {}", text(note, "detail"));
    }
    let late: Vec<_> = list(answer, "channels")
        .iter()
        .filter(|channel| matches!(text(channel, "status"), "timeout" | "error"))
        .map(|channel| text(channel, "channel"))
        .collect();
    if !late.is_empty() {
        let _ = writeln!(out, "Note: not looked through this time: {}.", late.join(", "));
    }
    for (number, hit) in (1..).zip(hits) {
        let (at, start, end) = (number_of(hit, "at_ms"), number_of(hit, "start_ms"), number_of(hit, "end_ms"));
        let _ = writeln!(
            out,
            "{number}. {} at {} (scene {}–{}): {}",
            quote(text(hit, "video_title")),
            clock(at),
            clock(start),
            clock(end),
            links.moment(text(hit, "video_id"), at)
        );
        if !text(hit, "text").is_empty() {
            let _ = writeln!(out, "   says {}", quote(text(hit, "text")));
        }
        let why: Vec<_> = list(hit, "matches").iter().map(|found| text(found, "detail")).collect();
        let _ = writeln!(out, "   {}; scene_id {}", shorten(&why.join("; ")), text(hit, "scene_id"));
    }
    more(out, answer)
}

pub fn transcript(answer: &Value, _: &Links) -> String {
    let segments = list(answer, "segments");
    let mut out = String::new();
    if segments.is_empty() {
        out.push_str("Nothing is said here.\n");
    }
    for segment in segments {
        let said = one_line(text(segment, "text"));
        let _ = writeln!(out, "[{}] {said}", clock(number_of(segment, "start_ms")));
    }
    more(out, answer)
}

pub fn videos(answer: &Value, links: &Links) -> String {
    let videos = items(answer);
    let mut out = match videos.len() {
        0 => "No videos.\n".to_owned(),
        1 => "1 video:\n".to_owned(),
        n => format!("{n} videos:\n"),
    };
    for video in videos {
        let length = video["duration_ms"].as_i64().map_or_else(|| "length not known yet".to_owned(), clock);
        let id = text(video, "video_id");
        let _ = writeln!(
            out,
            "- {}, {length}, {}, {}: {} (video_id {id})",
            quote(text(video, "title")),
            text(video, "state"),
            text(video, "created_at").get(..10).unwrap_or_default(),
            links.video(id)
        );
        if let Some(failure) = video.pointer("/failure/message").and_then(Value::as_str) {
            let _ = writeln!(out, "  {failure}");
        }
    }
    more(out, answer)
}

pub fn scene(scene: &Value, links: &Links) -> String {
    let (start, end) = (number_of(scene, "start_ms"), number_of(scene, "end_ms"));
    let video = text(scene, "video_id");
    let mut out = format!("Scene {}–{}: {} (video_id {video})\n", clock(start), clock(end), links.moment(video, start));
    if !text(scene, "text").is_empty() {
        let _ = writeln!(out, "Says {}", quote(text(scene, "text")));
    }
    for seen in list(scene, "on_screen").iter().take(10) {
        let _ = writeln!(out, "Shows {} at {}", quote(text(seen, "text")), clock(number_of(seen, "start_ms")));
    }
    let mut named = |what: &str, all: Vec<&str>| {
        if !all.is_empty() {
            let _ = writeln!(out, "{what}: {}", shorten(&all.join(", ")));
        }
    };
    named("Tags", list(scene, "tags").iter().map(|tag| text(tag, "label")).collect());
    let people = list(scene, "people").iter();
    named(
        "People",
        people.map(|person| person["display_name"].as_str().unwrap_or("somebody without a name")).collect(),
    );
    out
}

pub fn people(answer: &Value, links: &Links) -> String {
    let people = items(answer);
    let mut out = match people.len() {
        0 => "Nobody of that name.\n".to_owned(),
        1 => "1 person:\n".to_owned(),
        n => format!("{n} people:\n"),
    };
    for person in people {
        let id = text(person, "person_id");
        let name = person["display_name"].as_str().map_or_else(|| "somebody without a name".to_owned(), quote);
        let (scenes, videos) = (number_of(person, "scenes"), number_of(person, "videos"));
        let state = text(person, "state");
        let link = links.person(id);
        let _ = writeln!(out, "- {name} ({state}), in {scenes} scenes of {videos} videos: {link} (person_id {id})");
    }
    more(out, answer)
}

/// How to go on, where there is more.
fn more(mut out: String, answer: &Value) -> String {
    if let Some(cursor) = answer["next_cursor"].as_str() {
        let _ = writeln!(out, "There is more: call again with the same arguments and cursor {cursor}");
    }
    out
}

fn items(answer: &Value) -> &[Value] {
    list(answer, "items")
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

fn number_of(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

fn quote(text: &str) -> String {
    format!("“{}”", shorten(&one_line(text)))
}

/// `m:ss`, or `h:mm:ss` from an hour on.
fn clock(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_players_show_them() {
        assert_eq!([0, 999, 65_000, 3_599_999, 3_600_000].map(clock), ["0:00", "0:00", "1:05", "59:59", "1:00:00"]);
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        let long = "민지 ".repeat(400);
        let quoted = quote(&long);
        assert!(quoted.ends_with("…”") && quoted.chars().count() <= MOST_CHARS + 3, "{quoted}");
        assert_eq!(quote(" a\n b "), "“a b”");
    }
}
