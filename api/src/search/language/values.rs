//! The values of operators: texts, dates, lengths, languages.

use std::fmt;

use chrono::NaiveDate;

use super::{Ask, Key, Length};

/// Suffixes of lengths, in seconds.
const UNITS: [(char, i64); 3] = [('s', 1), ('m', 60), ('h', 3600)];
/// Nine digits of seconds: thirty years.
const MAX_MS: i64 = 999_999_999_999;

/// A stable code, and a sentence for the person.
type Wrong = (&'static str, String);

/// Reads a value that has no quotes, no blanks at its ends and single spaces within.
pub(super) fn ask(key: Key, value: &str) -> Result<Ask, Wrong> {
    if value.is_empty() {
        let name = key.as_str();
        return Err((
            "empty_value",
            format!(
                "`{name}:` needs a value right behind the colon, as in `{}`; put it in quotes to look for the word itself.",
                example(key)
            ),
        ));
    }
    match key {
        Key::Person => Ok(Ask::Person(value.to_owned())),
        Key::Tag => Ok(Ask::Tag(value.to_owned())),
        Key::Text => Ok(Ask::Text(value.to_owned())),
        Key::Title => Ok(Ask::Title(value.to_owned())),
        Key::Said if value.chars().any(char::is_alphanumeric) => Ok(Ask::Said(value.to_owned())),
        Key::Said => Err(("invalid_value", "`said:` needs at least one letter or digit.".to_owned())),
        Key::After => date(value).map(Ask::After).ok_or_else(|| wrong_date(key, value)),
        Key::Before => date(value).map(Ask::Before).ok_or_else(|| wrong_date(key, value)),
        Key::Duration => length(value).map(Ask::Duration).ok_or_else(|| {
            let sentence = format!(
                "`duration:` takes `<60`, `<=90s`, `>5m`, `>=1h` or a range from the shorter to the longer, as in `60..120`, not `{value}`."
            );
            ("invalid_duration", sentence)
        }),
        Key::Lang => language(value).map(Ask::Language).ok_or_else(|| {
            ("invalid_language", format!("`lang:` takes the two letters of a language, as in `lang:ko`, not `{value}`."))
        }),
    }
}

fn example(key: Key) -> &'static str {
    match key {
        Key::Person => "person:\"Minji Kim\"",
        Key::Tag => "tag:car",
        Key::Text => "text:exit",
        Key::Said => "said:\"good morning\"",
        Key::Title => "title:holiday",
        Key::After => "after:2026-01-31",
        Key::Before => "before:2026-01-31",
        Key::Duration => "duration:<60",
        Key::Lang => "lang:ko",
    }
}

fn wrong_date(key: Key, value: &str) -> Wrong {
    let name = key.as_str();
    let sentence = format!(
        "`{name}:` takes a day of the calendar, a month or a year, as in `{name}:2026-01-31`, `{name}:2026-01` or `{name}:2026`, not `{value}`."
    );
    ("invalid_date", sentence)
}

/// A month and a year are their first day.
fn date(text: &str) -> Option<NaiveDate> {
    let number = |part: &str, digits: usize| {
        let plain = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        if plain { part.parse::<u32>().ok() } else { None }
    };
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| number(part, 2))?;
    let day = parts.next().map_or(Some(1), |part| number(part, 2))?;
    if parts.next().is_some() {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn language(text: &str) -> Option<String> {
    let plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    plain.then(|| text.to_ascii_lowercase())
}

fn length(text: &str) -> Option<Length> {
    let text = text.to_ascii_lowercase();
    if let Some((from, to)) = text.split_once("..") {
        let (from, to) = (Amount::read(from)?, Amount::read(to)?);
        // In `1..2m` both are minutes.
        let (min, max) = (from.ms(from.unit.or(to.unit))?, to.ms(to.unit)?);
        return if min <= max { Some(Length::Between(min, max)) } else { None };
    }
    let ms = |text: &str| Amount::read(text).and_then(|amount| amount.ms(amount.unit));
    if let Some(rest) = text.strip_prefix("<=") {
        ms(rest).map(Length::AtMost)
    } else if let Some(rest) = text.strip_prefix(">=") {
        ms(rest).map(Length::AtLeast)
    } else if let Some(rest) = text.strip_prefix('<') {
        ms(rest).map(Length::Below)
    } else {
        text.strip_prefix('>').and_then(ms).map(Length::Above)
    }
}

/// A number with at most three decimals, and the seconds of its unit if it names one.
#[derive(Clone, Copy)]
struct Amount {
    thousandths: i64,
    unit: Option<i64>,
}

impl Amount {
    fn read(text: &str) -> Option<Self> {
        let suffixed = |(suffix, seconds): (char, i64)| text.strip_suffix(suffix).map(|number| (number, Some(seconds)));
        let (number, unit) = UNITS.into_iter().find_map(suffixed).unwrap_or((text, None));
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let plain = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        if !plain(whole, 9) || !plain(decimals, 3) {
            return None;
        }
        let (whole, decimals): (i64, i64) = (whole.parse().ok()?, format!("{decimals:0<3}").parse().ok()?);
        Some(Self { thousandths: whole * 1000 + decimals, unit })
    }

    fn ms(self, unit: Option<i64>) -> Option<i64> {
        Some(self.thousandths * unit.unwrap_or(1)).filter(|ms| *ms <= MAX_MS)
    }
}

/// In seconds.
impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Below(ms) => write!(f, "<{}", seconds(ms)),
            Self::AtMost(ms) => write!(f, "<={}", seconds(ms)),
            Self::Above(ms) => write!(f, ">{}", seconds(ms)),
            Self::AtLeast(ms) => write!(f, ">={}", seconds(ms)),
            Self::Between(min, max) => write!(f, "{}..{}", seconds(min), seconds(max)),
        }
    }
}

fn seconds(ms: i64) -> String {
    let (whole, rest) = (ms / 1000, ms % 1000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}").trim_end_matches('0').to_owned() }
}
