//! Text of a hit on one line, with the words that were found marked.

use unicode_width::UnicodeWidthStr as _;

use super::harmless;
use crate::api::types::Span;

const ON: &str = "\x1b[1;33m";
const OFF: &str = "\x1b[0m";

/// A text in pieces; true: this was found.
type Pieces = Vec<(String, bool)>;

/// What is seen and what is printed of a text, `width` columns at most, beginning a little before the first word found.
pub fn excerpt(text: &str, spans: &[Span], width: Option<usize>) -> (String, String) {
    let mut pieces = pieces(text, spans);
    if let Some(width) = width.filter(|&width| wide(&pieces) > width) {
        pieces = around_the_first(&pieces, width);
    }
    let plain = pieces.iter().map(|(text, _)| text.as_str()).collect();
    let printed = pieces.iter().map(|(text, found)| if *found { format!("{ON}{text}{OFF}") } else { text.clone() });
    (plain, printed.collect())
}

/// Cuts at the spans, which count UTF-16 code units as the API does. Line ends become blanks.
fn pieces(text: &str, spans: &[Span]) -> Pieces {
    let mut found: Pieces = Vec::new();
    let mut unit = 0;
    for c in text.chars() {
        let is_found = spans.iter().any(|span| span.start <= unit && unit < span.end);
        unit += c.len_utf16();
        match found.last_mut() {
            Some((piece, kind)) if *kind == is_found => piece.push(c),
            _ => found.push((c.to_string(), is_found)),
        }
    }
    for (piece, _) in &mut found {
        let (before, after) = (piece.starts_with(char::is_whitespace), piece.ends_with(char::is_whitespace));
        let line = harmless(piece);
        *piece = match line.is_empty() {
            true => {
                if before {
                    " ".into()
                } else {
                    String::new()
                }
            }
            false => format!("{}{line}{}", if before { " " } else { "" }, if after { " " } else { "" }),
        };
    }
    found
}

fn around_the_first(pieces: &[(String, bool)], width: usize) -> Pieces {
    let chars: Vec<(char, bool)> =
        pieces.iter().flat_map(|(text, found)| text.chars().map(move |c| (c, *found))).collect();
    let first = chars.iter().position(|&(_, found)| found).unwrap_or(0);
    let fits = |from: usize, to: usize, room: usize| wide_chars(&chars[from..to]) <= room;
    let mut from = first;
    while from > 0 && fits(from - 1, first, width / 3) {
        from -= 1;
    }
    let room = width.saturating_sub(usize::from(from > 0));
    let mut to = from;
    while to < chars.len() && fits(from, to + 1, room) {
        to += 1;
    }
    // The end of the text leaves room in front.
    while to == chars.len() && from > 0 && fits(from - 1, to, room) {
        from -= 1;
    }
    if to < chars.len() {
        while to > from && !fits(from, to, room.saturating_sub(1)) {
            to -= 1;
        }
    }
    let mut cut: Pieces = Vec::new();
    if from > 0 {
        cut.push(("…".into(), false));
    }
    for &(c, found) in &chars[from..to] {
        match cut.last_mut() {
            Some((piece, kind)) if *kind == found => piece.push(c),
            _ => cut.push((c.to_string(), found)),
        }
    }
    if to < chars.len() {
        cut.push(("…".into(), false));
    }
    cut
}

fn wide(pieces: &[(String, bool)]) -> usize {
    pieces.iter().map(|(text, _)| text.width()).sum()
}

fn wide_chars(chars: &[(char, bool)]) -> usize {
    chars.iter().map(|(c, _)| c).collect::<String>().width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_utf16_code_units() {
        // The clapper is two units.
        let (plain, printed) = excerpt("🎬 rain\nfalls", &[Span { start: 3, end: 7 }], None);
        assert_eq!(plain, "🎬 rain falls");
        assert_eq!(printed, format!("🎬 {ON}rain{OFF} falls"));
    }

    #[test]
    fn a_long_text_is_shown_around_the_first_word_found() {
        let text = format!("{}umbrella{}", "before ".repeat(40), " after".repeat(40));
        let (plain, printed) = excerpt(&text, &[Span { start: 280, end: 288 }], Some(40));
        assert!(plain.width() <= 40 && plain.starts_with('…') && plain.ends_with('…'), "{plain}");
        assert!(printed.contains(&format!("{ON}umbrella{OFF}")), "{printed}");
    }

    #[test]
    fn spans_out_of_place_do_no_harm() {
        let spans = [Span { start: 90, end: 95 }, Span { start: 3, end: 1 }];
        assert_eq!(excerpt("rain", &spans, Some(3)).0, "ra…");
    }
}
