//! Every stable error code of the HTTP API, in one place. Clients decide by the code; the sentence is for the person.
//! Append only; a code never changes its meaning.

use axum::http::StatusCode;

/// Declares the codes once: name, status, title.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// What went wrong, for a program. Serialised as the problem's `code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// The same for every occurrence (RFC 9457, 3.1.3).
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

codes! {
    /// A field, parameter or header has a value that is not allowed; `errors` names it.
    InvalidRequest = "invalid_request", BAD_REQUEST, "The request is not valid";
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not the JSON that was expected";
    InvalidCursor = "invalid_cursor", BAD_REQUEST, "The cursor does not belong to this request";
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Sign in first";
    InvalidToken = "invalid_token", UNAUTHORIZED, "The access token is not valid";
    SessionEnded = "session_ended", UNAUTHORIZED, "The session has ended";
    AccountDeleted = "account_deleted", UNAUTHORIZED, "The account has been deleted";
    TierRequired = "tier_required", PAYMENT_REQUIRED, "Another tier has this";
    Forbidden = "forbidden", FORBIDDEN, "You may not do this";
    /// An API token where it does not reach.
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The token may not do this";
    /// Switched off by the operator; `/config` says so too.
    FeatureOff = "feature_off", NOT_FOUND, "This is switched off here";
    NotFound = "not_found", NOT_FOUND, "Not found";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    Timeout = "timeout", SERVICE_UNAVAILABLE, "It took too long";
    Conflict = "conflict", CONFLICT, "It conflicts with the present state";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request";
    UploadPartsMissing = "upload_parts_missing", CONFLICT, "Parts of the upload are missing";
    UploadSizeMismatch = "upload_size_mismatch", CONFLICT, "The parts do not add up to the announced size";
    UploadEtagMismatch = "upload_etag_mismatch", CONFLICT, "A part is not the one that was sent";
    UploadNotOpen = "upload_not_open", CONFLICT, "The upload is no longer open";
    Duplicate = "duplicate", CONFLICT, "The same file is in the library already";
    RunActive = "run_active", CONFLICT, "The video is being indexed";
    NothingToInherit = "nothing_to_inherit", CONFLICT, "There is no complete index to build on";
    NotPlayableYet = "not_playable_yet", CONFLICT, "The video cannot be played yet";
    ProxyFailed = "proxy_failed", CONFLICT, "No version could be made that browsers play";
    NoVectors = "no_vectors", CONFLICT, "The scene has nothing to compare";
    /// A search by picture where nothing can look at one.
    NoImageModel = "no_image_model", CONFLICT, "There is no model that looks at pictures";
    /// Somebody edits what is no longer there.
    TranscriptChanged = "transcript_changed", CONFLICT, "The transcript has changed";
    ConsentRequired = "consent_required", UNPROCESSABLE_ENTITY, "The person has to agree first";
    TooManyPhotos = "too_many_photos", CONFLICT, "The person has as many photos as they may";
    TooManyPeople = "too_many_people", CONFLICT, "There are as many people as there may be";
    FileTooLarge = "file_too_large", PAYLOAD_TOO_LARGE, "The file is larger than the tier allows";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The content type is not supported";
    DailyUploadsUsedUp = "daily_uploads_used_up", TOO_MANY_REQUESTS, "No uploads are left for today";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "A part of the system is out of reach";
    NotImplemented = "not_implemented", NOT_IMPLEMENTED, "Not implemented";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Code;

    #[test]
    fn codes_are_unique_and_snake_case() {
        let codes: HashSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        assert!(codes.iter().all(|c| c.chars().all(|ch| ch.is_ascii_lowercase() || ch == '_')));
    }
}
