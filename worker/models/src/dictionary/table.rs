//! A file of sorted lines, of which only every so many stays in memory: a dictionary of two million forms is 60 MB, and a query asks for
//! a few of them.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Lines between two that are kept.
const STEP: usize = 64;
/// Bytes of a line.
const LONGEST: usize = 1024;

/// Lines `KEY TAB VALUE` in the order of their bytes, where a key may have tabs and a value has none.
pub(super) struct Table {
    file: File,
    /// Every [`STEP`]th line's key and where it begins.
    kept: Vec<(Box<str>, u64)>,
    /// Bytes of the file.
    size: u64,
}

/// Why a file is no such table.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTable {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("line {0} is not like `{what}`", what = "language, form and English, with tabs between")]
    Line(usize),
    #[error("line {0} is not behind the one before it in the order of bytes")]
    Order(usize),
}

impl Table {
    /// Reads all of it once.
    pub(super) fn open(path: &Path) -> Result<Self, NoTable> {
        let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
        let (mut kept, mut line, mut before) = (Vec::new(), String::new(), String::new());
        let (mut size, mut number) = (0, 0);
        while reader.read_line(&mut line)? > 0 {
            let text = line.strip_suffix('\n').filter(|_| line.len() <= LONGEST).ok_or(NoTable::Line(number + 1))?;
            let (key, _) =
                text.rsplit_once('\t').filter(|(key, _)| key.contains('\t')).ok_or(NoTable::Line(number + 1))?;
            if number > 0 && key <= before.as_str() {
                return Err(NoTable::Order(number + 1));
            }
            if number.is_multiple_of(STEP) {
                kept.push((key.into(), size));
            }
            before.clear();
            before.push_str(key);
            size += line.len() as u64;
            number += 1;
            line.clear();
        }
        Ok(Self { file: reader.into_inner(), kept, size })
    }

    /// The value of the line with this key.
    pub(super) fn get(&self, key: &str) -> io::Result<Option<String>> {
        let behind = self.kept.partition_point(|(first, _)| first.as_ref() <= key);
        let Some((_, from)) = behind.checked_sub(1).and_then(|at| self.kept.get(at)) else { return Ok(None) };
        let to = self.kept.get(behind).map_or(self.size, |(_, at)| *at);
        let mut lines = vec![0; usize::try_from(to - from).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut lines, *from)?;
        let lines = std::str::from_utf8(&lines).map_err(io::Error::other)?;
        let found = lines.lines().filter_map(|line| line.rsplit_once('\t')).find(|(found, _)| *found == key);
        Ok(found.map(|(_, value)| value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn open(text: &str) -> Result<Table, NoTable> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Table::open(file.path())
    }

    #[test]
    fn what_is_no_table_says_where() {
        assert!(matches!(open("de\thaus\thouse\nde hof\tyard\n"), Err(NoTable::Line(2))));
        assert!(matches!(open("de\thaus\thouse\nde\thof"), Err(NoTable::Line(2))), "the end is missing");
        assert!(matches!(open("de\thof\tyard\nde\thaus\thouse\n"), Err(NoTable::Order(2))));
        assert!(matches!(open("de\thof\tyard\nde\thof\tcourt\n"), Err(NoTable::Order(2))), "twice the same");
        assert!(matches!(open(&format!("de\t{}\tlong\n", "o".repeat(LONGEST))), Err(NoTable::Line(1))));
        assert!(open("").unwrap().get("de\thof").unwrap().is_none());
    }

    proptest! {
        #[test]
        fn every_line_is_found_and_no_other(
            words in proptest::collection::btree_map("[a-c]{1,4}", "[x-z ]{0,3}", 0..300), other in "[a-d]{1,5}",
        ) {
            let words: BTreeMap<String, String> = words;
            let text: String = words.iter().map(|(word, told)| format!("xx\t{word}\t{told}\n")).collect();
            let table = open(&text).unwrap();
            for (word, told) in &words {
                prop_assert_eq!(table.get(&format!("xx\t{word}")).unwrap(), Some(told.clone()));
            }
            prop_assert_eq!(table.get(&format!("xx\t{other}")).unwrap(), words.get(&other).cloned());
        }
    }
}
