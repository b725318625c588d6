//! What a token says of its person, cleaned. Metadata is the person's own writing: shown, never obeyed.

use chrono::{DateTime, Utc};
use heimdex_db::{enums::UserRole, users::ClaimedProfile};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

/// Characters of a display name.
pub const MAX_NAME_CHARS: usize = 120;

pub(super) fn profile_of(claims: &Map<String, Value>, subject: Uuid, issued_at: DateTime<Utc>) -> ClaimedProfile {
    let email = claims.get("email").and_then(Value::as_str);
    profile_from(email, claims.get("user_metadata"), subject, issued_at)
}

/// The same from a user's row.
pub fn profile_from(
    email: Option<&str>,
    metadata: Option<&Value>,
    subject: Uuid,
    issued_at: DateTime<Utc>,
) -> ClaimedProfile {
    let field = |name: &str| metadata.and_then(|m| m.get(name)).and_then(Value::as_str);
    ClaimedProfile {
        subject,
        email: email.and_then(|email| plain(email, 320)),
        email_verified: metadata.and_then(|m| m.get("email_verified")).and_then(Value::as_bool).unwrap_or(false),
        display_name: ["display_name", "name", "full_name"].iter().find_map(|name| plain(field(name)?, MAX_NAME_CHARS)),
        avatar_url: ["avatar_url", "picture"].iter().find_map(|name| web_url(field(name)?)),
        role: field("role").and_then(|role| role.parse::<UserRole>().ok()),
        issued_at,
    }
}

/// Trimmed, without control characters, not longer than `max` characters; `None` when nothing is left.
pub fn plain(text: &str, max: usize) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(max).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// An http(s) URL of reasonable length.
pub fn web_url(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    (url.as_str().len() <= 2048).then(|| url.to_string())
}
