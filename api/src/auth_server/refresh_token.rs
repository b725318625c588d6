//! Refresh tokens: base64url of `0 ‖ session (16 bytes) ‖ counter (uvarint) ‖ HMAC-SHA-256 of it all so far, 16 bytes ‖
//! SHA-256 of it all so far, 4 bytes`. The checksum turns nonsense away without a look into the database; the HMAC, under a
//! key of the session, proves that the token is from here. Source: supabase/auth, internal/crypto/refresh_tokens.go.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const SIGNATURE: usize = 16;
const CHECKSUM: usize = 4;
/// A counter of one byte, and one of nine.
const MIN: usize = 1 + 16 + 1 + SIGNATURE + CHECKSUM;
const MAX: usize = MIN + 8;

/// A token that has the right form. Whether it is genuine, only its session's key can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub session_id: Uuid,
    pub counter: i64,
    signed: Vec<u8>,
    signature: [u8; SIGNATURE],
}

impl RefreshToken {
    /// `None` for whatever is no such token.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX * 2 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| (MIN..=MAX).contains(&bytes.len()))?;
        let (body, checksum) = bytes.split_at_checked(bytes.len() - CHECKSUM)?;
        if Sha256::digest(body)[..CHECKSUM] != *checksum {
            return None;
        }
        let (signed, signature) = body.split_at_checked(body.len() - SIGNATURE)?;
        let [0, rest @ ..] = signed else { return None };
        let (session, counter) = rest.split_at_checked(16)?;
        Some(Self {
            session_id: Uuid::from_slice(session).ok()?,
            counter: uvarint(counter)?,
            signed: signed.to_vec(),
            signature: signature.try_into().ok()?,
        })
    }

    /// Whether it was made with this key. Takes the same time however much of it is right.
    pub fn is_genuine(&self, key: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&sign(key, &self.signed), &self.signature).is_ok()
    }

    /// The token of a generation, as text.
    pub fn text(key: &[u8], session_id: Uuid, counter: i64) -> String {
        let mut bytes = vec![0];
        bytes.extend_from_slice(session_id.as_bytes());
        append_uvarint(&mut bytes, counter.unsigned_abs());
        let signature = sign(key, &bytes);
        bytes.extend_from_slice(&signature);
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum[..CHECKSUM]);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// What the database keeps of a token.
pub fn fingerprint(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn sign(key: &[u8], message: &[u8]) -> [u8; SIGNATURE] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut signature = [0; SIGNATURE];
    signature.copy_from_slice(&tag.as_ref()[..SIGNATURE]);
    signature
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn append_uvarint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value as u8) | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// The whole slice must be one number, written in the shortest way.
fn uvarint(bytes: &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate() {
        let shift = u32::try_from(place * 7).ok().filter(|shift| *shift < 63)?;
        value |= u64::from(byte & 0x7f) << shift;
        let last = place + 1 == bytes.len();
        if (byte & 0x80 == 0) != last || (last && *byte == 0 && place > 0) {
            return None;
        }
    }
    i64::try_from(value).ok().filter(|_| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_says_what_it_was_made_of(session in any::<u128>(), counter in 0..=i64::MAX, key in any::<[u8; 32]>()) {
            let session = Uuid::from_u128(session);
            let text = RefreshToken::text(&key, session, counter);
            let token = RefreshToken::parse(&text).unwrap();
            prop_assert_eq!((token.session_id, token.counter), (session, counter));
            prop_assert!(token.is_genuine(&key));
            prop_assert!(!token.is_genuine(&[0; 32]) || key == [0; 32]);
        }

        #[test]
        fn no_text_makes_it_stumble(text in ".{0,80}") {
            RefreshToken::parse(&text);
        }

        #[test]
        fn a_changed_byte_is_noticed(place in 0..35_usize, change in 1..=255_u8) {
            let text = RefreshToken::text(&[7; 32], Uuid::from_u128(9), 3);
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            bytes[place] ^= change;
            prop_assert_eq!(RefreshToken::parse(&URL_SAFE_NO_PAD.encode(bytes)), None);
        }
    }

    /// Made by the published algorithm with other tools (Python's hmac and hashlib).
    #[test]
    fn it_is_the_published_form() {
        let key: Vec<u8> = (0..32).collect();
        let session = Uuid::parse_str("00112233-4455-6677-8899-aabbccddeeff").unwrap();
        assert_eq!(RefreshToken::text(&key, session, 300), "AAARIjNEVWZ3iJmqu8zd7v-sAve84vz-Zvp6dsnk9ashjMhTjyL6");
    }
}
