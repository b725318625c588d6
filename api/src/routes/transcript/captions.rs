//! Captions as text files: WebVTT (W3C), SubRip, plain.

use std::fmt::Write;

use super::Segment;

/// WebVTT: `&`, `<` and `>` are escaped, and no cue text holds `-->` or an empty line.
pub fn vtt(segments: &[Segment]) -> String {
    let mut out = String::from("WEBVTT\n\n");
    for segment in spoken(segments) {
        let text = one_line(&segment.text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(
            out,
            "{}\n{} --> {}\n{text}\n\n",
            segment.segment_no,
            time(segment.start_ms, '.'),
            time(end(segment), '.')
        );
    }
    out
}

/// SubRip: numbered from 1, comma before the milliseconds. Players read tags in angle brackets, so those that are text
/// become the single quotation marks that look alike.
pub fn srt(segments: &[Segment]) -> String {
    let mut out = String::new();
    for (number, segment) in (1..).zip(spoken(segments)) {
        let text = one_line(&segment.text).replace('<', "\u{2039}").replace('>', "\u{203a}");
        let _ = write!(out, "{number}\n{} --> {}\n{text}\n\n", time(segment.start_ms, ','), time(end(segment), ','));
    }
    out
}

/// One line a segment.
pub fn txt(segments: &[Segment]) -> String {
    spoken(segments).fold(String::new(), |mut out, segment| {
        out.push_str(&one_line(&segment.text));
        out.push('\n');
        out
    })
}

fn spoken(segments: &[Segment]) -> impl Iterator<Item = &Segment> {
    segments.iter().filter(|segment| !segment.text.trim().is_empty())
}

/// A cue that ends where it begins is not shown.
fn end(segment: &Segment) -> i64 {
    segment.end_ms.max(segment.start_ms + 1)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `hh:mm:ss.mmm`
fn time(ms: i64, separator: char) -> String {
    let ms = ms.max(0);
    format!("{:02}:{:02}:{:02}{separator}{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(segment_no: i32, start_ms: i64, end_ms: i64, text: &str) -> Segment {
        Segment { segment_no, start_ms, end_ms, text: text.into(), edited: false, words: Vec::new() }
    }

    #[test]
    fn captions_are_valid_files() {
        let segments = [
            said(0, 0, 1500, " It was\n\nthe best "),
            said(1, 1500, 1500, "a --> b & <i>c</i>"),
            said(2, 3_600_000, 3_601_001, "  "),
        ];
        assert_eq!(
            vtt(&segments),
            "WEBVTT\n\n0\n00:00:00.000 --> 00:00:01.500\nIt was the best\n\n\
             1\n00:00:01.500 --> 00:00:01.501\na --&gt; b &amp; &lt;i&gt;c&lt;/i&gt;\n\n"
        );
        assert_eq!(
            srt(&segments),
            "1\n00:00:00,000 --> 00:00:01,500\nIt was the best\n\n2\n00:00:01,500 --> 00:00:01,501\na --\u{203a} b & \u{2039}i\u{203a}c\u{2039}/i\u{203a}\n\n"
        );
        assert_eq!(txt(&segments), "It was the best\na --> b & <i>c</i>\n");
    }
}
