//! Cursors: where a page ended, opaque to the client and bound to the request they belong to.
//!
//! A cursor is base64url of JSON. It is validated, not signed: everything in it is a position, and positions are always
//! applied inside the owner's own rows, so a made-up one shows its maker a page of their own library and nothing else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::error::{ApiError, Code};

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

/// Reads a position back. Anything that [`encode`] did not write for the same request is `invalid_cursor`.
pub fn decode<T: DeserializeOwned>(request: &impl Serialize, cursor: &str) -> Result<T, ApiError> {
    if cursor.len() > MAX_LEN {
        return Err(invalid());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    let envelope: Envelope<T> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if envelope.q == fingerprint(request) { Ok(envelope.p) } else { Err(invalid()) }
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
            prop_assert_eq!(decode::<(i64, String)>(&request, &cursor).unwrap(), position);
        }

        #[test]
        fn another_requests_cursor_is_refused(a in ".{0,20}", b in ".{0,20}") {
            prop_assume!(a != b);
            let cursor = encode(&a, &7_i64);
            prop_assert_eq!(decode::<i64>(&b, &cursor).unwrap_err().code(), Code::InvalidCursor);
        }

        #[test]
        fn nonsense_is_refused(cursor in ".{0,300}") {
            prop_assert!(decode::<(i64, String)>(&"x", &cursor).is_err());
        }
    }
}
