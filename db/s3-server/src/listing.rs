//! Listing a bucket in pages. Blocks.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::names;
use crate::objects::{OpenError, Store};
use crate::sealed::{self, Description};

/// What to list.
pub(crate) struct Query<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) prefix: &'a str,
    /// Keys that go on past the next delimiter are folded into one common prefix.
    pub(crate) delimiter: Option<&'a str>,
    /// Only entries after this key or common prefix.
    pub(crate) after: Option<&'a str>,
    pub(crate) max_entries: usize,
}

/// One page, in the order of the keys' bytes.
pub(crate) struct Page {
    pub(crate) objects: Vec<(String, Description)>,
    pub(crate) common_prefixes: Vec<String>,
    /// The last entry of the page, when there are more.
    pub(crate) next: Option<String>,
}

impl Store {
    /// One page of a bucket's keys.
    pub(crate) fn list(&self, query: &Query<'_>) -> Result<Page, OpenError> {
        let bucket = self.bucket(query.bucket)?;
        let mut keys = Vec::new();
        walk(&bucket, &bucket.join(names::prefix_to_folder(query.prefix)), &mut keys)?;

        // A key on its own has a path; a common prefix has none.
        let mut entries: BTreeMap<String, Option<PathBuf>> = BTreeMap::new();
        for (key, path) in keys {
            let Some(rest) = key.strip_prefix(query.prefix) else { continue };
            let folded = query.delimiter.filter(|delimiter| !delimiter.is_empty()).and_then(|delimiter| {
                let end = rest.find(delimiter)? + delimiter.len();
                Some(key[..query.prefix.len() + end].to_owned())
            });
            match folded {
                Some(prefix) => entries.insert(prefix, None),
                None => entries.insert(key, Some(path)),
            };
        }

        let mut page = Page { objects: Vec::new(), common_prefixes: Vec::new(), next: None };
        let mut last = None;
        for (entry, path) in entries {
            if query.after.is_some_and(|after| entry.as_str() <= after) {
                continue;
            }
            if page.objects.len() + page.common_prefixes.len() == query.max_entries {
                page.next = last;
                break;
            }
            last = Some(entry.clone());
            match path.map(|path| sealed::open(&path)) {
                None => page.common_prefixes.push(entry),
                Some(Ok((_, description))) => page.objects.push((entry, description)),
                // Removed since the walk.
                Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Some(Err(error)) => return Err(OpenError::Io(error)),
            }
        }
        Ok(page)
    }
}

/// Every object file below `folder`, as key and path.
fn walk(bucket: &Path, folder: &Path, keys: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if let Some(key) = entry.path().strip_prefix(bucket).ok().and_then(names::path_to_key) {
                keys.push((key, entry.path()));
            }
        }
    }
    Ok(())
}
