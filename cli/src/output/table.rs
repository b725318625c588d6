//! Tables without lines, as `ls` and `kubectl` print them: columns aligned by the width that characters have on a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

const GAP: &str = "  ";
/// What a column that gives way keeps.
const LEAST: usize = 12;

/// A cell: what is seen, and what is printed (with styles).
#[derive(Clone)]
pub struct Cell {
    plain: String,
    styled: Option<String>,
}

impl Cell {
    /// `styled` prints as `plain` does, with styles in it.
    pub fn styled(plain: impl Into<String>, styled: impl Into<String>) -> Self {
        Self { plain: plain.into(), styled: Some(styled.into()) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { plain: text.into(), styled: None }
    }
}

/// Rows under a heading. The columns named by `gives_way`, widest first, are cut until everything fits.
pub struct Table {
    heading: Vec<&'static str>,
    right: Vec<usize>,
    gives_way: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), right: Vec::new(), gives_way: Vec::new(), rows: Vec::new() }
    }

    /// Columns of numbers.
    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Columns of texts of any length.
    pub fn gives_way(mut self, columns: &[usize]) -> Self {
        self.gives_way = columns.to_vec();
        self
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Lines; `width` columns wide at most where it is given.
    pub fn render(&self, width: Option<usize>) -> Vec<String> {
        let widths = self.widths(width);
        let heading: Vec<Cell> = self.heading.iter().map(|&text| text.into()).collect();
        std::iter::once(&heading).chain(&self.rows).map(|row| self.printed(row, &widths)).collect()
    }

    fn widths(&self, most: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heading.iter().map(|text| text.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.plain.width());
            }
        }
        let Some(most) = most else { return widths };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > most {
            let widest = self.gives_way.iter().copied().filter(|&n| widths[n] > LEAST).max_by_key(|&n| widths[n]);
            let Some(widest) = widest else { break };
            widths[widest] -= 1;
        }
        widths
    }

    fn printed(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        for (n, (cell, &width)) in row.iter().zip(widths).enumerate() {
            if n > 0 {
                line.push_str(GAP);
            }
            let is_cut = cell.plain.width() > width;
            let cut = if is_cut { cut(&cell.plain, width) } else { cell.plain.clone() };
            let blanks = " ".repeat(width.saturating_sub(cut.width()));
            // Styles cannot be cut without knowing them.
            let text = cell.styled.as_ref().filter(|_| !is_cut).unwrap_or(&cut);
            let (before, after) = if self.right.contains(&n) { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
            line.extend([before, text, after]);
        }
        line.trim_end().to_owned()
    }
}

/// The beginning of a text, `width` columns at most, with an ellipsis where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        kept.push(c);
        used += wide;
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["TIME", "TITLE", "SIZE"]).right(&[2]).gives_way(&[1]);
        table.row(vec!["0:07".into(), "민지 우는 장면".into(), "9.0 MiB".into()]);
        table.row(vec!["1:02:03".into(), "rain".into(), "12.5 GiB".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        assert_eq!(
            table().render(None),
            [
                "TIME     TITLE               SIZE",
                "0:07     민지 우는 장면   9.0 MiB",
                "1:02:03  rain            12.5 GiB",
            ]
        );
    }

    #[test]
    fn texts_give_way_to_the_terminals_width() {
        for line in table().render(Some(31)) {
            assert!(line.width() <= 31, "{line}");
        }
        assert_eq!(table().render(Some(31))[1], "0:07     민지 우는…     9.0 MiB");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("민지 우는", 5), "민지…");
        assert_eq!(cut("rain", 4), "rain");
        assert_eq!(cut("rainy", 4), "rai…");
    }
}
