//! Whisper's vocabulary: special tokens, prompts, and how tokens fall into words.
//! Follows faster-whisper's `Tokenizer` (MIT, Systran) on the model's own `tokenizer.json`.

use std::collections::BTreeSet;
use std::path::Path;

use tokenizers::Tokenizer;

use crate::error::ModelError;
use crate::manifest::Manifest;

/// Languages written without spaces, whose words are single decodable pieces.
const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];
const ASCII_PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

pub(crate) struct Vocabulary {
    tokenizer: Tokenizer,
    /// The engine's own names of the tokens; older tokenizer files lack the timestamps.
    names: Vec<String>,
    pub sot: u32,
    pub sot_prev: u32,
    pub eot: u32,
    pub no_timestamps: u32,
    /// The first of the timestamp tokens, `<|0.00|>`; each further one is 20 ms later.
    pub timestamp_begin: u32,
    transcribe: Option<u32>,
    /// What decoding never gives: symbols that are not spoken, and special tokens.
    pub suppressed: Vec<i32>,
}

/// What stands before the text in one language.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub tokens: Vec<u32>,
    pub language: String,
}

/// A word with the tokens that make it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WordTokens {
    pub text: String,
    pub tokens: Vec<u32>,
}

impl Vocabulary {
    pub(crate) fn load(manifest: &Manifest) -> Result<Self, ModelError> {
        let path = manifest.folder.join("tokenizer.json");
        let mut tokenizer = read_tokenizer(manifest, &path)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(ModelError::tokenizer)?;
        let find = |token: &str| tokenizer.token_to_id(token);
        let need = |token: &str| {
            find(token).ok_or_else(|| ModelError::Mismatch {
                id: manifest.id.clone(),
                path: path.clone(),
                expected: format!("a Whisper tokenizer with the token {token}"),
                found: "none".to_owned(),
            })
        };
        let (sot, eot) = (need("<|startoftranscript|>")?, need("<|endoftext|>")?);
        let (sot_prev, no_timestamps) = (need("<|startofprev|>")?, need("<|notimestamps|>")?);
        let no_speech = find("<|nospeech|>").or_else(|| find("<|nocaptions|>"));
        let transcribe = find("<|transcribe|>");
        let special = [Some(sot), Some(sot_prev), transcribe, find("<|translate|>"), find("<|startoflm|>"), no_speech];
        let mut suppressed = not_spoken(&tokenizer)?;
        suppressed.extend(special.into_iter().flatten());
        let names = engine_names(manifest)?;
        let suppressed = suppressed.into_iter().filter_map(|token| i32::try_from(token).ok()).collect();
        Ok(Self {
            tokenizer,
            names,
            sot,
            sot_prev,
            eot,
            no_timestamps,
            timestamp_begin: no_timestamps + 1,
            transcribe,
            suppressed,
        })
    }

    /// The start sequence of an English-only model: just the one token, no language.
    pub(crate) fn english_only(&self) -> Start {
        Start { tokens: vec![self.sot], language: "en".to_owned() }
    }

    /// The start sequence of a multilingual model; `None` for a language the model does not know.
    pub(crate) fn in_language(&self, language: &str) -> Option<Start> {
        let token = self.tokenizer.token_to_id(&format!("<|{language}|>"))?;
        let tokens = [Some(self.sot), Some(token), self.transcribe].into_iter().flatten().collect();
        Some(Start { tokens, language: language.to_owned() })
    }

    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(ModelError::tokenizer)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Text of the tokens, without special and timestamp tokens.
    pub(crate) fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        let text: Vec<u32> = tokens.iter().copied().filter(|token| *token < self.eot).collect();
        self.tokenizer.decode(&text, true).map_err(ModelError::tokenizer)
    }

    /// The strings by which the engine takes a prompt.
    pub(crate) fn spell(&self, tokens: &[u32]) -> Result<Vec<String>, ModelError> {
        tokens
            .iter()
            .map(|token| {
                self.names
                    .get(*token as usize)
                    .cloned()
                    .ok_or_else(|| ModelError::tokenizer(format!("no token {token}")))
            })
            .collect()
    }

    /// Splits text tokens (none of them special) into words.
    pub(crate) fn words(&self, tokens: &[u32], language: &str) -> Result<Vec<WordTokens>, ModelError> {
        let pieces = self.decodable_pieces(tokens)?;
        if WITHOUT_SPACES.contains(&language) {
            return Ok(pieces);
        }
        let mut words: Vec<WordTokens> = Vec::new();
        for piece in pieces {
            // Substring, as in the original: "..." is punctuation only if it is a run of the ASCII list.
            let begins = piece.text.starts_with(' ') || ASCII_PUNCTUATION.contains(piece.text.trim());
            match words.last_mut() {
                Some(word) if !begins => {
                    word.text.push_str(&piece.text);
                    word.tokens.extend(piece.tokens);
                }
                _ => words.push(piece),
            }
        }
        Ok(words)
    }

    /// The shortest runs of tokens that decode to whole characters.
    fn decodable_pieces(&self, tokens: &[u32]) -> Result<Vec<WordTokens>, ModelError> {
        const REPLACEMENT: char = '\u{fffd}';
        let full: Vec<char> = self.decode(tokens)?.chars().collect();
        let (mut pieces, mut current, mut offset) = (Vec::new(), Vec::new(), 0);
        for token in tokens {
            current.push(*token);
            let text = self.decode(&current)?;
            // A replacement character that the full text has too was really said so.
            let broken = text
                .chars()
                .position(|found| found == REPLACEMENT)
                .is_some_and(|at| full.get(offset + at) != Some(&REPLACEMENT));
            if !broken {
                offset += text.chars().count();
                pieces.push(WordTokens { text, tokens: std::mem::take(&mut current) });
            }
        }
        Ok(pieces)
    }
}

/// Reads a `tokenizer.json`, naming the file when it is none.
pub(crate) fn read_tokenizer(manifest: &Manifest, path: &Path) -> Result<Tokenizer, ModelError> {
    Tokenizer::from_file(path).map_err(|error| ModelError::Mismatch {
        id: manifest.id.clone(),
        path: path.to_owned(),
        expected: "a tokenizer".to_owned(),
        found: error.to_string(),
    })
}

/// CTranslate2's vocabulary: `vocabulary.json` (an array) or, in older models, `vocabulary.txt` (a token a line).
fn engine_names(manifest: &Manifest) -> Result<Vec<String>, ModelError> {
    let path =
        ["vocabulary.json", "vocabulary.txt"].iter().map(|name| manifest.folder.join(name)).find(|path| path.is_file());
    let path = path.unwrap_or_else(|| manifest.folder.join("vocabulary.json"));
    let mismatch = |found: String| ModelError::Mismatch {
        id: manifest.id.clone(),
        path: path.clone(),
        expected: "a CTranslate2 vocabulary".to_owned(),
        found,
    };
    let text = std::fs::read_to_string(&path).map_err(|error| mismatch(error.to_string()))?;
    if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| mismatch(error.to_string()))
    } else {
        Ok(text.lines().map(str::to_owned).collect())
    }
}

/// Speaker tags, musical notes and the like: OpenAI's `non_speech_tokens`.
fn not_spoken(tokenizer: &Tokenizer) -> Result<BTreeSet<u32>, ModelError> {
    const MUSIC: [&str; 7] = ["♩", "♪", "♫", "♬", "♭", "♮", "♯"];
    let symbols = "\" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』 << >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪";
    let encode = |text: String| {
        tokenizer.encode_fast(text, false).map(|found| found.get_ids().to_vec()).map_err(ModelError::tokenizer)
    };
    let mut found = BTreeSet::new();
    // Hyphens and quotes are fine inside a word and not at its beginning.
    for start in [" -", " '"] {
        found.extend(encode(start.to_owned())?.first());
    }
    for symbol in symbols.split(' ').chain(MUSIC) {
        for text in [symbol.to_owned(), format!(" {symbol}")] {
            let tokens = encode(text)?;
            if tokens.len() == 1 || MUSIC.contains(&symbol) {
                found.extend(tokens.first());
            }
        }
    }
    Ok(found)
}
