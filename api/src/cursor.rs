//! Paging: lists are read a page at a time, by cursors: where a page ended, opaque to the client and bound to the request they
//! belong to.
//!
//! A cursor is base64url of JSON. It is validated, not signed: everything in it is a position, and positions are always
//! applied inside the owner's own rows, so a made-up one shows its maker a page of their own library and nothing else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    domain,
    error::{ApiError, Code},
};

const MAX_LEN: usize = 2048;

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    /// Of the request without its cursor.
    q: String,
    p: T,
}

/// Writes a position. `request` is whatever must be the same on the next page.
pub fn encode<T: Serialize>(request: &impl Serialize, position: &T) -> String {
    let envelope = Envelope { q: fingerprint(request), p: position };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&envelope).unwrap_or_default())
}

/// Reads the position back that a request goes on from, if it goes on. Anything that [`encode`] did not write for the same
/// request is `invalid_cursor`.
pub fn decode<T: DeserializeOwned>(request: &impl Serialize, cursor: Option<&str>) -> Result<Option<T>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    if cursor.len() > MAX_LEN {
        return Err(invalid());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    let envelope: Envelope<T> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if envelope.q == fingerprint(request) { Ok(Some(envelope.p)) } else { Err(invalid()) }
}

/// One page of `rows`, of which one more than `limit` was asked for: it only tells that there is another page. With it the cursor
/// of that page, which goes on behind the `position` of the last row.
pub fn page<Row, P: Serialize>(
    mut rows: Vec<Row>,
    limit: u32,
    request: &impl Serialize,
    position: impl FnOnce(&Row) -> P,
) -> (Vec<Row>, Option<String>) {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| encode(request, &position(last)));
    (rows, next_cursor)
}

/// A time in a position. One that could not be stored was not written by us; see [`domain::is_in_calendar`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "DateTime<Utc>")]
pub struct Time(pub DateTime<Utc>);

impl TryFrom<DateTime<Utc>> for Time {
    type Error = &'static str;

    fn try_from(at: DateTime<Utc>) -> Result<Self, Self::Error> {
        if domain::is_in_calendar(at) { Ok(Self(at)) } else { Err("no time that can be stored") }
    }
}

/// A cursor that is not one of this request's.
pub fn invalid() -> ApiError {
    ApiError::new(Code::InvalidCursor).detail("The cursor does not belong to this request; start again without it.")
}

fn fingerprint(request: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(request).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..9])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_back(request in ".{0,40}", position in (any::<i64>(), ".{0,60}")) {
            let cursor = encode(&request, &position);
            prop_assert_eq!(decode::<(i64, String)>(&request, Some(&cursor)).unwrap(), Some(position));
        }

        #[test]
        fn another_requests_cursor_is_refused(a in ".{0,20}", b in ".{0,20}") {
            prop_assume!(a != b);
            let cursor = encode(&a, &7_i64);
            prop_assert_eq!(decode::<i64>(&b, Some(&cursor)).unwrap_err().code(), Code::InvalidCursor);
        }

        #[test]
        fn nonsense_is_refused(cursor in ".{0,300}") {
            prop_assert!(decode::<(i64, String)>(&"x", Some(&cursor)).is_err());
        }

        #[test]
        fn pages_are_the_list(rows in prop::collection::vec(any::<i64>(), 0..40), limit in 1..8_u32) {
            let mut read = Vec::new();
            let mut from = 0;
            loop {
                let asked: Vec<(usize, i64)> = rows[from..].iter().copied().take(limit as usize + 1).enumerate().collect();
                let (page, next) = page(asked, limit, &"rows", |&(place, _)| from + place + 1);
                prop_assert!(page.len() <= limit as usize);
                read.extend(page.into_iter().map(|(_, row)| row));
                let Some(next) = next else { break };
                prop_assert!(read.len() < rows.len(), "no page is empty but the first");
                from = decode::<usize>(&"rows", Some(&next)).unwrap().unwrap();
            }
            prop_assert_eq!(read, rows);
        }
    }

    #[test]
    fn a_time_that_cannot_be_stored_is_refused() {
        let soon = DateTime::<Utc>::UNIX_EPOCH;
        let never = DateTime::<Utc>::MAX_UTC;
        assert_eq!(decode::<Time>(&"x", Some(&encode(&"x", &soon))).unwrap().unwrap().0, soon);
        assert_eq!(decode::<Time>(&"x", Some(&encode(&"x", &Time(never)))).unwrap_err().code(), Code::InvalidCursor);
        assert!(decode::<Time>(&"x", None).unwrap().is_none());
    }
}
