//! Scenes as edit decision list (CMX 3600), FCPXML 1.9 and CSV.
//!
//! In the first two the scenes stand one after the other in a sequence of their own; each refers to its place in the file, which
//! begins at timecode 0.

use std::fmt::Write as _;

use super::timecode::Rate;

/// What all scenes are of.
pub(super) struct Film<'a> {
    pub title: &'a str,
    pub file_name: &'a str,
    pub rate: Rate,
    pub width: i32,
    pub height: i32,
    pub duration_ms: i64,
    pub has_sound: bool,
}

/// A scene to be named.
pub(super) struct Mark<'a> {
    /// From 1.
    pub number: i32,
    pub start_ms: i64,
    pub end_ms: i64,
    /// What is said.
    pub text: &'a str,
    pub tags: Vec<String>,
}

impl Mark<'_> {
    /// First frame, and how many: at least one.
    fn frames(&self, rate: Rate) -> (i64, i64) {
        let first = rate.frame_at(self.start_ms);
        (first, (rate.frame_at(self.end_ms) - first).max(1))
    }
}

/// CMX 3600: one event a scene, picture and sound.
pub(super) fn edl(film: &Film<'_>, marks: &[Mark<'_>]) -> String {
    let counting = if film.rate.is_drop_frame() { "DROP FRAME" } else { "NON-DROP FRAME" };
    let mut text = format!("TITLE: {}\r\nFCM: {counting}\r\n\r\n", line(film.title, 70));
    let track = if film.has_sound { "B" } else { "V" };
    let mut record = 0;
    for (event, mark) in (1..).zip(marks) {
        let (first, length) = mark.frames(film.rate);
        let code = |frame| film.rate.timecode(frame);
        let (from, to) = (code(first), code(first + length));
        let (at, until) = (code(record), code(record + length));
        record += length;
        let _ = write!(text, "{event:03}  AX       {track:<5} C        {from} {to} {at} {until}\r\n");
        let _ = write!(text, "* FROM CLIP NAME: {}\r\n", line(film.file_name, 200));
        let said = line(mark.text, 200);
        let _ =
            write!(text, "* COMMENT: SCENE {}{}{said}\r\n\r\n", mark.number, if said.is_empty() { "" } else { ": " });
    }
    text
}

/// FCPXML 1.9, with a marker at the beginning of each scene.
pub(super) fn fcpxml(film: &Film<'_>, marks: &[Mark<'_>]) -> String {
    let rate = film.rate;
    let counting = if rate.is_drop_frame() { "DF" } else { "NDF" };
    let frame = rate.seconds(1);
    let whole = rate.seconds(rate.frame_at(film.duration_ms).max(1));
    let sequence: i64 = marks.iter().map(|mark| mark.frames(rate).1).sum();
    let (name, title) = (escape(film.file_name), escape(film.title));
    let sound = if film.has_sound { r#" hasAudio="1" audioSources="1""# } else { "" };
    let place: String =
        url::form_urlencoded::byte_serialize(film.file_name.as_bytes()).collect::<String>().replace('+', "%20");
    let mut text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.9">
  <resources>
    <format id="r1" frameDuration="{frame}" width="{}" height="{}"/>
    <asset id="r2" name="{name}" start="0s" duration="{whole}" hasVideo="1" format="r1"{sound}>
      <media-rep kind="original-media" src="./{place}"/>
    </asset>
  </resources>
  <library>
    <event name="Heimdex">
      <project name="{title}">
        <sequence format="r1" duration="{}" tcStart="0s" tcFormat="{counting}">
          <spine>
"#,
        film.width,
        film.height,
        rate.seconds(sequence)
    );
    let mut offset = 0;
    for mark in marks {
        let (first, length) = mark.frames(rate);
        let (at, start, duration) = (rate.seconds(offset), rate.seconds(first), rate.seconds(length));
        offset += length;
        let (number, note) = (mark.number, escape(&line(mark.text, 500)));
        let _ = write!(
            text,
            r#"            <asset-clip ref="r2" name="{name}" offset="{at}" start="{start}" duration="{duration}" tcFormat="{counting}">
              <marker start="{start}" duration="{frame}" value="Scene {number}" note="{note}"/>
            </asset-clip>
"#
        );
    }
    text.push_str("          </spine>\n        </sequence>\n      </project>\n    </event>\n  </library>\n</fcpxml>\n");
    text
}

/// RFC 4180, one scene a line.
pub(super) fn csv(film: &Film<'_>, marks: &[Mark<'_>]) -> String {
    let mut text = String::from("scene,start,end,start_ms,end_ms,text,tags\r\n");
    for mark in marks {
        let (first, length) = mark.frames(film.rate);
        let (start, end) = (film.rate.timecode(first), film.rate.timecode(first + length));
        let (said, tags) = (cell(mark.text), cell(&mark.tags.join("; ")));
        let _ = write!(text, "{},{start},{end},{},{},{said},{tags}\r\n", mark.number, mark.start_ms, mark.end_ms);
    }
    text
}

/// One line of at most `most` characters.
fn line(text: &str, most: usize) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(most).collect()
}

/// In quotes; a spreadsheet must not take what somebody said for a formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// Text in an attribute; XML 1.0 has no place for most control characters.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')) {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn film(fps: f64) -> Film<'static> {
        Film {
            title: "Rain \"& wind\"",
            file_name: "비 1.mov",
            rate: Rate::of(fps),
            width: 1920,
            height: 1080,
            duration_ms: 120_000,
            has_sound: true,
        }
    }

    fn mark(number: i32, start_ms: i64, end_ms: i64, text: &str) -> Mark<'_> {
        Mark { number, start_ms, end_ms, text, tags: vec!["rain".into()] }
    }

    #[test]
    fn an_edit_decision_list_names_source_and_record_in_drop_frame() {
        let text = edl(&film(29.97), &[mark(2, 59_960, 61_061, "It was"), mark(4, 90_090, 91_091, "")]);
        assert_eq!(
            text,
            "TITLE: Rain \"& wind\"\r\nFCM: DROP FRAME\r\n\r\n\
             001  AX       B     C        00:00:59;27 00:01:01;02 00:00:00;00 00:00:01;03\r\n\
             * FROM CLIP NAME: 비 1.mov\r\n* COMMENT: SCENE 2: It was\r\n\r\n\
             002  AX       B     C        00:01:30;02 00:01:31;02 00:00:01;03 00:00:02;03\r\n\
             * FROM CLIP NAME: 비 1.mov\r\n* COMMENT: SCENE 4\r\n\r\n"
        );
    }

    #[test]
    fn fcpxml_has_times_as_whole_frames_and_text_escaped() {
        let text = fcpxml(&film(23.976), &[mark(1, 1001, 2002, "<b>\u{b}&")]);
        assert!(text.contains(r#"frameDuration="1001/24000s" width="1920" height="1080""#), "{text}");
        assert!(text.contains(r#"offset="0s" start="24024/24000s" duration="24024/24000s" tcFormat="NDF""#), "{text}");
        assert!(text.contains(r#"note="&lt;b&gt; &amp;""#), "{text}");
        assert!(
            text.contains(r#"src="./%EB%B9%84%201.mov""#) && text.contains("Rain &quot;&amp; wind&quot;"),
            "{text}"
        );
    }

    #[test]
    fn csv_is_quoted_and_no_formula() {
        let text = csv(&film(25.0), &[mark(1, 0, 1000, "=1+1 \"so\"")]);
        assert_eq!(
            text,
            "scene,start,end,start_ms,end_ms,text,tags\r\n1,00:00:00:00,00:00:01:00,0,1000,\"'=1+1 \"\"so\"\"\",\"rain\"\r\n"
        );
    }

    proptest! {
        #[test]
        fn scenes_that_follow_each_other_leave_no_frame_out(
            fps in prop::sample::select(vec![23.976, 24.0, 25.0, 29.97, 30.0, 59.94]),
            lengths in prop::collection::vec(100_i64..20_000, 1..40),
        ) {
            let rate = Rate::of(fps);
            let mut at = 0;
            let mut next = 0;
            for length in lengths {
                let (first, frames) = mark(1, at, at + length, "").frames(rate);
                prop_assert_eq!(first, next);
                at += length;
                next = first + frames;
            }
            prop_assert_eq!(next, rate.frame_at(at));
        }

        #[test]
        fn whatever_is_said_stays_within_its_attribute_and_cell(text in "\\PC{0,60}|[\"'<>&=\r\n\t]{0,20}") {
            let xml = escape(&text);
            prop_assert!(!xml.contains(['<', '>', '"', '\'']));
            let quoted = cell(&text);
            prop_assert_eq!(quoted[1..quoted.len() - 1].replace("\"\"", "").matches('"').count(), 0);
        }
    }
}
