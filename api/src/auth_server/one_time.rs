//! Six digits for a mailbox, and the hash that stands for them in links: hexadecimal SHA-224 of the mailbox and the digits.

use heimdex_db::{
    PgConnection,
    auth_credentials::Credential,
    auth_one_time::{self, Kind, NewToken, OneTime},
};
use sha2::{Digest, Sha224};

use super::{AuthServer, error::AuthError, flow::Challenge};

/// Wrong guesses at the digits of a mailbox before they are spent.
const GUESSES: i32 = 5;
const PKCE: &str = "pkce_";

/// What goes into a mail.
#[derive(Clone, Debug)]
pub struct Issued {
    pub otp: String,
    /// For links; with `pkce_` before it where the one who asked holds a code verifier.
    pub token_hash: String,
}

/// Makes a token for a mailbox and keeps its hash. The one of its kind before it is spent.
pub async fn issue(
    db: &mut PgConnection,
    server: &AuthServer,
    account: &Credential,
    kind: Kind,
    mailbox: &str,
    challenge: Option<&Challenge>,
) -> Result<Issued, AuthError> {
    let otp = format!("{:06}", rand::random_range(0..1_000_000_u32));
    let prefix = if challenge.is_some() { PKCE } else { "" };
    let token_hash = format!("{prefix}{}", hash(mailbox, &otp));
    let new = NewToken {
        credential: account.id,
        kind,
        token_hash: &token_hash,
        email: mailbox,
        challenge: challenge.map(Challenge::parts),
        ttl: server.settings.otp_ttl,
    };
    auth_one_time::put(db, &new).await?;
    Ok(Issued { otp, token_hash })
}

pub fn hash(mailbox: &str, otp: &str) -> String {
    hex::encode(Sha224::digest(format!("{}{otp}", mailbox.to_lowercase()).as_bytes()))
}

/// Spends the token of a mailbox that the digits fit. `None`: a wrong guess, which counts once the caller commits.
pub async fn take_by_digits(
    db: &mut PgConnection,
    mailbox: &str,
    digits: &str,
    kinds: &[Kind],
) -> Result<Option<OneTime>, AuthError> {
    let given = hash(mailbox, digits);
    let mut found = None;
    for token in auth_one_time::of_mailbox(&mut *db, mailbox, kinds).await? {
        let kept = token.token_hash.strip_prefix(PKCE).unwrap_or(&token.token_hash);
        if aws_lc_rs::constant_time::verify_slices_are_equal(kept.as_bytes(), given.as_bytes()).is_ok() {
            found = Some(token);
        }
    }
    match &found {
        Some(token) => drop(auth_one_time::spend(db, token.credential_id, token.kind).await?),
        None => auth_one_time::miss(db, mailbox, kinds, GUESSES).await?,
    }
    Ok(found)
}
