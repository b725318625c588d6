//! Which files are meant by what was typed.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Types the pipeline reads, by file ending: the dashboard's table (`web/src/features/upload/checks.ts`).
const TYPES: [(&str, &str); 15] = [
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("avi", "video/x-msvideo"),
    ("mpg", "video/mpeg"),
    ("mpeg", "video/mpeg"),
    ("ts", "video/mp2t"),
    ("mts", "video/mp2t"),
    ("m2ts", "video/mp2t"),
    ("ogv", "video/ogg"),
    ("3gp", "video/3gpp"),
    ("wmv", "video/x-ms-wmv"),
    ("flv", "video/x-flv"),
];
/// Folders in folders.
const MAX_DEPTH: usize = 64;

/// A file to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    pub path: PathBuf,
    /// As the server will call it.
    pub name: String,
    pub size_bytes: u64,
    pub modified: Option<SystemTime>,
    pub mime_type: &'static str,
}

/// Something that cannot be sent, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub path: PathBuf,
    pub why: String,
}

#[derive(Debug, Default)]
pub struct Collected {
    pub videos: Vec<Video>,
    pub refused: Vec<Refused>,
    seen: HashSet<PathBuf>,
}

/// Files as they were named, whatever their ending, and of folders every video in them, in the order of their names. Each file
/// once. Hidden files and links to folders are left out.
pub fn collect(paths: &[PathBuf]) -> Collected {
    let mut found = Collected::default();
    for path in paths {
        match std::fs::metadata(path) {
            Ok(data) if data.is_dir() => found.folder(path, 0),
            Ok(_) => found.file(path),
            Err(error) => found.refuse(path, &error),
        }
    }
    found
}

/// The type that a name's ending stands for.
pub fn mime_type(name: &str) -> Option<&'static str> {
    let ending = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == ending).map(|(_, mime_type)| *mime_type)
}

impl Collected {
    fn refuse(&mut self, path: &Path, error: &io::Error) {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        };
        self.refused.push(Refused { path: path.to_owned(), why });
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.refuse(folder, &error),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => self.folder(&path, depth + 1),
                Ok(kind) if kind.is_dir() => {}
                // A link to a file is followed when the file is looked at; one to a folder is no video.
                Ok(_) if mime_type(&name).is_some() && !path.is_dir() => self.file(&path),
                Ok(_) => {}
                Err(error) => self.refuse(&path, &error),
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let looked = path.canonicalize().and_then(|real| std::fs::metadata(&real).map(|data| (real, data)));
        let (real, data) = match looked {
            Ok(looked) => looked,
            Err(error) => return self.refuse(path, &error),
        };
        if !self.seen.insert(real) {
            return;
        }
        let why = match path.file_name().and_then(|name| name.to_str()) {
            _ if !data.is_file() => "it is no file",
            _ if data.len() == 0 => "it is empty",
            None => "its name is not UTF-8",
            Some(name) => {
                return self.videos.push(Video {
                    path: path.to_owned(),
                    name: name.trim().to_owned(),
                    size_bytes: data.len(),
                    modified: data.modified().ok(),
                    mime_type: mime_type(name).unwrap_or("application/octet-stream"),
                });
            }
        };
        self.refused.push(Refused { path: path.to_owned(), why: why.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Collected) -> Vec<&str> {
        found.videos.iter().map(|video| video.name.as_str()).collect()
    }

    #[test]
    fn of_folders_videos_are_taken_each_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("day 2/raw")).unwrap();
        for name in ["b.MOV", "a.mp4", "notes.txt", ".a.mp4", "day 2/raw/비.mkv", "day 2/c.ts"] {
            std::fs::write(at(name), b"x").unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), at("day 2/around")).unwrap();
        std::os::unix::fs::symlink(at("a.mp4"), at("z.mp4")).unwrap();
        let found = collect(&[folder.path().to_owned(), at("b.MOV")]);
        assert_eq!(names(&found), ["a.mp4", "b.MOV", "c.ts", "비.mkv"]);
        assert_eq!((found.videos[1].mime_type, found.videos[1].size_bytes), ("video/quicktime", 1));
        assert!(found.refused.is_empty(), "{:?}", found.refused);
    }

    #[test]
    fn a_file_that_is_named_is_taken_whatever_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recording.dat");
        std::fs::write(&file, b"x").unwrap();
        let found = collect(&[file]);
        assert_eq!((names(&found), found.videos[0].mime_type), (vec!["recording.dat"], "application/octet-stream"));
    }

    #[test]
    fn what_cannot_be_sent_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, missing) = (folder.path().join("empty.mp4"), folder.path().join("gone.mp4"));
        std::fs::write(&empty, b"").unwrap();
        let found = collect(&[empty, missing]);
        let why: Vec<&str> = found.refused.iter().map(|refused| refused.why.as_str()).collect();
        assert_eq!((found.videos.len(), why), (0, vec!["it is empty", "there is no such file"]));
    }
}
