//! A query with its mistake underlined.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Two lines: the query, and carets under the characters from `column` up to `column_end`, both counted from 1 in Unicode scalar
/// values as the API does. Of a long query the part around the mistake is shown.
pub fn underlined(query: &str, column: usize, column_end: usize, width: usize) -> [String; 2] {
    // One column a character at least, so that carets have something to stand under.
    let shown: Vec<char> =
        query.chars().map(|c| if c.is_control() || c.width().unwrap_or(0) == 0 { '·' } else { c }).collect();
    let first = column.saturating_sub(1).min(shown.len());
    let end = column_end.saturating_sub(1).clamp(first, shown.len());
    let room = width.saturating_sub(4).max(20);
    let from = if wide(&shown) <= room { 0 } else { start(&shown, first, room / 3) };
    let mut to = from;
    let mut used = 0;
    while to < shown.len() && used + shown[to].width().unwrap_or(1) <= room {
        used += shown[to].width().unwrap_or(1);
        to += 1;
    }
    let left = if from > 0 { "…" } else { "" };
    let right = if to < shown.len() { "…" } else { "" };
    let line: String = shown[from..to].iter().collect();
    let carets = wide(&shown[first.min(to)..end.min(to)]).max(1);
    let blanks = left.width() + wide(&shown[from..first.min(to)]);
    [format!("  {left}{line}{right}"), format!("  {}{}", " ".repeat(blanks), "^".repeat(carets))]
}

/// The place from which about `before` columns are seen in front of `first`.
fn start(shown: &[char], first: usize, before: usize) -> usize {
    let mut from = first;
    let mut used = 0;
    while from > 0 && used < before {
        from -= 1;
        used += shown[from].width().unwrap_or(1);
    }
    from
}

fn wide(chars: &[char]) -> usize {
    chars.iter().map(|c| c.width().unwrap_or(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_mistake() {
        assert_eq!(underlined("music tag: rain", 7, 11, 80), ["  music tag: rain", "        ^^^^"]);
        assert_eq!(underlined("비 after:2026-13", 9, 16, 80), ["  비 after:2026-13", "           ^^^^^^^"]);
        assert_eq!(underlined("a\tb after:x", 11, 12, 80), ["  a·b after:x", "            ^"]);
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        assert_eq!(underlined("ab", 3, 3, 80), ["  ab", "    ^"]);
        assert_eq!(underlined("", 1, 9, 80), ["  ", "  ^"]);
    }

    #[test]
    fn of_a_long_query_the_part_around_the_mistake_is_shown() {
        let query = format!("{}after:x {}", "word ".repeat(60), "word ".repeat(60));
        let [line, carets] = underlined(&query, 307, 308, 60);
        assert!(line.width() <= 60 && line.contains("after:x"), "{line}");
        let place = carets.find('^').unwrap();
        assert_eq!(line.chars().nth(place), Some('x'), "{line}\n{carets}");
    }
}
