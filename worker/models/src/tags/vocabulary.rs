//! Which tags there are, what they are called, and what an image encoder is asked for them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

/// The vocabulary that is used when none is configured.
const BUILT_IN: &str = include_str!("vocabulary.toml");

const MAX_BYTES: u64 = 4 << 20;
const MAX_TAGS: usize = 2000;
const MAX_PROMPTS: usize = 8;
/// Characters of a prompt or label.
const MAX_CHARS: usize = 120;

/// A vocabulary that cannot be used; says where.
#[derive(Debug, thiserror::Error)]
#[error("tags file {}, line {line}{}: {reason}", path.display(), key.as_ref().map(|key| format!(", key `{key}`")).unwrap_or_default())]
pub struct VocabularyError {
    pub path: PathBuf,
    /// From 1; 0 where the file as a whole is wrong.
    pub line: usize,
    pub key: Option<String>,
    pub reason: String,
}

/// A name of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// ISO 639-1.
    pub language: String,
    pub text: String,
    /// 0 is the one that people are shown in this language.
    pub place: usize,
}

/// Something a scene can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub id: String,
    /// The tag that this one is a kind of, and counts towards.
    pub parent: Option<String>,
    /// What an image encoder is asked, in English; none for a tag that other findings give.
    pub prompts: Vec<String>,
    pub labels: Vec<Label>,
}

/// All tags, sorted by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    pub tags: Vec<Tag>,
    /// First 12 hexadecimal digits of the file's sha256: recorded with what was tagged by it.
    pub version: String,
}

impl Vocabulary {
    /// The file, or the built-in vocabulary when there is none.
    ///
    /// # Errors
    /// [`VocabularyError`] naming the file, the line and the key.
    pub fn load(path: Option<&Path>) -> Result<Self, VocabularyError> {
        let Some(path) = path else { return Self::built_in() };
        let wrong = |reason: String| VocabularyError { path: path.to_owned(), line: 0, key: None, reason };
        let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if size > MAX_BYTES {
            return Err(wrong(format!("{size} bytes are more than {MAX_BYTES}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text, path)
    }

    /// The built-in vocabulary.
    ///
    /// # Errors
    /// Never, which a test sees to.
    pub fn built_in() -> Result<Self, VocabularyError> {
        Self::parse(BUILT_IN, Path::new("worker/models/src/tags/vocabulary.toml"))
    }

    /// Reads and checks the text of a vocabulary; `path` is for messages.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, VocabularyError> {
        let at = |offset: usize| text.as_bytes()[..offset.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1;
        let wrong = |offset: usize, key: Option<String>, reason: String| VocabularyError {
            path: path.to_owned(),
            line: at(offset),
            key,
            reason,
        };
        let file: File = toml::from_str(text).map_err(|error| {
            wrong(error.span().map_or(0, |span| span.start), None, error.message().trim().to_owned())
        })?;
        let mut tags = Vec::with_capacity(file.tags.len());
        for (id, fields) in &file.tags {
            let key = |field: &str| Some(format!("tags.{}.{field}", id.get_ref()));
            if !is_id(id.get_ref()) {
                let reason = "an id is 1 to 40 lowercase letters, digits and `-`".to_owned();
                return Err(wrong(id.span().start, Some(format!("tags.{}", id.get_ref())), reason));
            }
            let tag = tag(id.get_ref(), fields).map_err(|Fault { field, offset, reason }| {
                wrong(offset.unwrap_or(id.span().start), key(&field), reason)
            })?;
            tags.push(tag);
        }
        if tags.is_empty() || tags.len() > MAX_TAGS {
            return Err(wrong(
                0,
                Some("tags".to_owned()),
                format!("{} tags; there must be 1 to {MAX_TAGS}", tags.len()),
            ));
        }
        for (id, fields) in &file.tags {
            let Some(parent) = tags.iter().find(|tag| &tag.id == id.get_ref()).and_then(|tag| tag.parent.as_ref())
            else {
                continue;
            };
            let reason = match tags.iter().find(|tag| &tag.id == parent) {
                None => format!("there is no tag `{parent}`"),
                Some(general) if general.parent.is_some() => format!("`{parent}` is itself a kind of something"),
                Some(_) => continue,
            };
            let offset =
                fields.iter().find(|(name, _)| name.get_ref() == "kind_of").map_or(0, |(name, _)| name.span().start);
            return Err(wrong(offset, Some(format!("tags.{}.kind_of", id.get_ref())), reason));
        }
        let hash = Sha256::digest(text.as_bytes());
        let version = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { tags, version })
    }

    /// Whether there is a tag of this id.
    pub fn has(&self, id: &str) -> bool {
        self.tags.binary_search_by(|tag| tag.id.as_str().cmp(id)).is_ok()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tags: BTreeMap<Spanned<String>, Fields>,
}

type Fields = BTreeMap<Spanned<String>, Spanned<Texts>>;

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

struct Fault {
    field: String,
    offset: Option<usize>,
    reason: String,
}

fn tag(id: &str, fields: &Fields) -> Result<Tag, Fault> {
    let mut tag = Tag { id: id.to_owned(), parent: None, prompts: Vec::new(), labels: Vec::new() };
    for (name, value) in fields {
        let fault = |reason: String| Fault { field: name.get_ref().clone(), offset: Some(value.span().start), reason };
        let texts = value.get_ref().all();
        if let Some(text) =
            texts.iter().find(|text| text.trim() != *text || text.is_empty() || text.chars().count() > MAX_CHARS)
        {
            return Err(fault(format!(
                "`{text}` is empty, longer than {MAX_CHARS} characters, or has blanks around it"
            )));
        }
        match (name.get_ref().as_str(), value.get_ref()) {
            ("prompts", Texts::Many(prompts)) if prompts.len() <= MAX_PROMPTS => tag.prompts.clone_from(prompts),
            ("prompts", _) => return Err(fault(format!("a list of at most {MAX_PROMPTS} texts is needed"))),
            ("kind_of", Texts::One(parent)) => tag.parent = Some(parent.clone()),
            ("kind_of", Texts::Many(_)) => return Err(fault("one tag's id is needed".to_owned())),
            (language, _) if language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase()) => {
                if texts.is_empty() {
                    return Err(fault("there is no label in it".to_owned()));
                }
                for (place, text) in texts.iter().enumerate() {
                    if texts[..place].iter().any(|other| other.to_lowercase() == text.to_lowercase()) {
                        return Err(fault(format!("`{text}` is in it twice")));
                    }
                    tag.labels.push(Label { language: language.to_owned(), text: text.clone(), place });
                }
            }
            (other, _) => {
                return Err(fault(format!("`{other}` is neither `prompts`, `kind_of` nor a language of two letters")));
            }
        }
    }
    if !tag.labels.iter().any(|label| label.language == "en") {
        return Err(Fault { field: "en".to_owned(), offset: None, reason: "an English label is needed".to_owned() });
    }
    Ok(tag)
}

fn is_id(id: &str) -> bool {
    (1..=40).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vocabulary, VocabularyError> {
        Vocabulary::parse(text, Path::new("tags.toml"))
    }

    #[test]
    fn the_built_in_vocabulary_is_right_and_speaks_seven_languages() {
        let vocabulary = Vocabulary::built_in().unwrap();
        assert!((150..=250).contains(&vocabulary.tags.len()), "{}", vocabulary.tags.len());
        for tag in &vocabulary.tags {
            for language in ["en", "ko", "de", "fr", "es", "ja", "zh"] {
                assert!(tag.labels.iter().any(|l| l.language == language && l.place == 0), "{} in {language}", tag.id);
            }
        }
        for id in
            ["person", "people", "crowd", "close-up", "text", "still", "action", "dark", "bright", "black-and-white"]
        {
            assert!(vocabulary.has(id), "{id}");
        }
        assert!(!vocabulary.has("nothing"));
    }

    #[test]
    fn one_label_or_several_make_a_tag() {
        let found = parse("[tags]\ndog = { prompts = [\"dog\"], kind_of = \"animal\", en = [\"dog\", \"puppy\"], ko = \"개\" }\nanimal = { prompts = [], en = \"animal\" }").unwrap();
        assert_eq!(found.tags.iter().map(|tag| tag.id.as_str()).collect::<Vec<_>>(), ["animal", "dog"]);
        let label =
            |language: &str, text: &str, place| Label { language: language.to_owned(), text: text.to_owned(), place };
        assert_eq!(found.tags[1].labels, [label("en", "dog", 0), label("en", "puppy", 1), label("ko", "개", 0)]);
        assert_eq!(found.tags[1].parent.as_deref(), Some("animal"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_key() {
        for (text, line, says) in [
            ("", 1, "tags"),
            ("[tags]\n", 1, "0 tags"),
            ("[tags]\n\ndog = { prompts = [\"dog\"], de = \"Hund\" }", 3, "tags.dog.en"),
            ("[tags]\nDog = { en = \"dog\" }", 2, "tags.Dog"),
            ("[tags]\ndog = { en = \"dog\", english = \"dog\" }", 2, "tags.dog.english"),
            ("[tags]\ndog = { en = [] }", 2, "tags.dog.en"),
            ("[tags]\ndog = { en = [\"dog\", \"Dog\"] }", 2, "twice"),
            ("[tags]\ndog = { en = \" dog\" }", 2, "blanks"),
            ("[tags]\ndog = { en = \"dog\", prompts = \"dog\" }", 2, "tags.dog.prompts"),
            ("[tags]\ndog = { en = \"dog\", kind_of = \"animal\" }", 2, "no tag `animal`"),
            (
                "[tags]\na = { en = \"a\" }\nb = { en = \"b\", kind_of = \"a\" }\nc = { en = \"c\", kind_of = \"b\" }",
                4,
                "tags.c.kind_of",
            ),
            ("[tags]\na = { en = \"a\" }\na = { en = \"b\" }", 3, "duplicate"),
            ("[tags]\na = { en = 5 }", 2, "a text or a list"),
            ("[tags]\na = { en = \"a\"", 2, "tags.toml"),
            ("[tags]\na = { en = \"a\" }\n[other]\n", 3, "other"),
        ] {
            let error = parse(text).unwrap_err();
            let message = error.to_string();
            assert_eq!(error.line, line, "{text:?}: {message}");
            assert!(message.contains(says), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tags.toml");
        assert!(Vocabulary::load(Some(&path)).unwrap_err().to_string().contains("tags.toml"));
        std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
        assert!(Vocabulary::load(Some(&path)).unwrap_err().to_string().contains("UTF-8"));
        std::fs::write(&path, "[tags]\ndog = { en = \"dog\" }").unwrap();
        assert!(Vocabulary::load(Some(&path)).unwrap().has("dog"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_at_all_breaks_the_reader(text in "(?s).{0,300}", cut in 0_usize..60_000) {
            let _ = parse(&text);
            let cut = BUILT_IN.char_indices().map(|(at, _)| at).take_while(|&at| at <= cut).last().unwrap_or(0);
            let _ = parse(&BUILT_IN[..cut]);
        }
    }
}
