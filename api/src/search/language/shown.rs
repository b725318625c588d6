//! How a query was understood, as the answer says it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Parsed;

/// How a query was understood.
#[derive(Serialize, ToSchema)]
pub struct ParsedQuery {
    /// The query in its canonical form, which means the same.
    text: String,
    /// The free text: what is looked for. Empty where operators stand alone.
    free: String,
    operators: Vec<ParsedOperator>,
}

/// An operator of a query.
#[derive(Serialize, ToSchema)]
pub struct ParsedOperator {
    /// `person`, `tag`, `text`, `said`, `title`, `after`, `before`, `duration` or `lang`; `-word` is `said`.
    key: &'static str,
    value: String,
    /// There is a minus before it.
    excluded: bool,
    /// Of its first character in the query as it was sent, from 1, in Unicode scalar values.
    column: usize,
    /// Of the character behind its last.
    column_end: usize,
}

impl From<&Parsed> for ParsedQuery {
    fn from(parsed: &Parsed) -> Self {
        let operators = parsed.operators.iter().map(|operator| ParsedOperator {
            key: operator.ask.key().as_str(),
            value: operator.ask.value(),
            excluded: operator.excluded,
            column: operator.columns.first,
            column_end: operator.columns.end,
        });
        Self { text: parsed.to_string(), free: parsed.free(), operators: operators.collect() }
    }
}
