//! `/verify`: what the mails lead to. POST is for programs (digits, or the hash of a link), GET for a person who follows a
//! link. Each token is good once.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use heimdex_db::{
    PgConnection,
    audit::{self, Action, Actor, Event, Whom},
    auth_credentials::{self, Credential},
    auth_one_time::{self, Kind, OneTime},
};
use serde_json::{Value, json};

use super::{
    AuthServer, Server,
    body::{Body, email, query_value},
    error::AuthError,
    flow,
    limits::{self, Client},
    links::{form, with_fragment, with_query},
    one_time, sessions,
    signup::phone_disabled,
};

const HALF: &str = "Confirmation link accepted. Please proceed to confirm link sent to the other email";
const BAD_LINK: &str = "Email link is invalid or has expired";
const BAD_DIGITS: &str = "Token has expired or is invalid";

/// The kinds of token that a verification of a type takes.
fn kinds(verification: &str) -> Result<&'static [Kind], AuthError> {
    match verification {
        "" => Err(AuthError::invalid("Verify requires a verification type")),
        "signup" | "invite" => Ok(&[Kind::Confirmation]),
        "recovery" | "magiclink" => Ok(&[Kind::Recovery]),
        "email" => Ok(&[Kind::Confirmation, Kind::Recovery]),
        "email_change" => Ok(&[Kind::EmailChangeCurrent, Kind::EmailChangeNew]),
        _ => Err(AuthError::invalid("Invalid email verification type")),
    }
}

/// How somebody shows that they have a mail.
enum Given<'a> {
    Digits { address: String, digits: String },
    Link(&'a str),
}

/// What a spent token has led to.
enum Verified {
    Person(Box<Credential>),
    /// The other mailbox has to agree, too.
    Half,
}

/// Does what the token is for.
async fn act(
    db: &mut PgConnection,
    server: &AuthServer,
    client: &Client,
    token: &OneTime,
    failed: &str,
) -> Result<Verified, AuthError> {
    let gone = || AuthError::otp_expired(failed);
    let account = auth_credentials::find(&mut *db, token.credential_id).await?.ok_or_else(gone)?;
    if account.is_banned() {
        return Err(AuthError::banned());
    }
    let whom = Whom::Account(account.id);
    let by = client.by(Actor::Person(whom));
    match token.kind {
        Kind::Confirmation | Kind::Recovery => {
            if !account.is_confirmed() {
                auth_credentials::confirm(&mut *db, account.id).await?;
                audit::record(&mut *db, &by, Event::new(Action::EmailConfirmed, whom)).await?;
            }
        }
        Kind::EmailChangeCurrent | Kind::EmailChangeNew => {
            let Some(new) = account.new_email.as_deref() else { return Err(gone()) };
            if server.settings.secure_email_change && auth_credentials::agree_to_email(&mut *db, account.id).await? {
                return Ok(Verified::Half);
            }
            auth_credentials::set_email(&mut *db, account.id, new, true).await?;
            for kind in [Kind::EmailChangeCurrent, Kind::EmailChangeNew] {
                auth_one_time::spend(&mut *db, account.id, kind).await?;
            }
            let event = Event::new(Action::EmailChanged, whom);
            audit::record(&mut *db, &by, event.changed(json!({ "email": account.email }), json!({ "email": new })))
                .await?;
        }
        Kind::Reauthentication => return Err(gone()),
    }
    Ok(Verified::Person(Box::new(account)))
}

/// `POST /verify`.
pub async fn post(State(server): State<Server>, client: Client, body: Body) -> Result<Json<Value>, AuthError> {
    limits::by_address(&server, &client, "verify", 30).await?;
    let verification = body.filled("type")?.unwrap_or("");
    let (token, token_hash) = (body.filled("token")?, body.filled("token_hash")?);
    let (address, phone) = (body.filled("email")?, body.filled("phone")?);
    if matches!(verification, "sms" | "phone_change") || (phone.is_some() && address.is_none()) {
        return Err(phone_disabled("Unsupported phone provider"));
    }
    let kinds = kinds(verification)?;
    let given = match (token, token_hash) {
        (Some(digits), None) => {
            let (Some(address), None) = (address, phone) else {
                let message = "Only an email address or phone number should be provided on verify";
                return Err(AuthError::invalid(message));
            };
            Given::Digits { address: email(address)?, digits: digits.replace('-', "") }
        }
        (None, Some(hash)) => {
            if address.is_some() || phone.is_some() || body.filled("redirect_to")?.is_some() {
                return Err(AuthError::invalid("Only the token_hash and type should be provided"));
            }
            Given::Link(hash)
        }
        _ => return Err(AuthError::invalid("Verify requires either a token or a token hash")),
    };
    match &given {
        Given::Digits { address, .. } => limits::by_account(&server, &client, "verify", address, 30).await?,
        Given::Link(_) => limits::links_open(&server).await?,
    }
    let mut tx = server.pool.begin().await?;
    let (found, failed) = match &given {
        Given::Digits { address, digits } => {
            (one_time::take_by_digits(&mut tx, address, digits, kinds).await?, BAD_DIGITS)
        }
        Given::Link(hash) => (by_link(&mut tx, hash, kinds).await?, BAD_LINK),
    };
    let Some(found) = found else {
        // The wrong guess has been counted.
        tx.commit().await?;
        if token_hash.is_some() {
            limits::wrong_link(&server).await?;
        }
        return Err(AuthError::otp_expired(failed));
    };
    let answer = match act(&mut tx, &server, &client, &found, failed).await? {
        Verified::Half => json!({ "msg": HALF, "code": "200" }),
        Verified::Person(account) => sessions::open(&mut tx, &server, &account, "otp", &client).await?,
    };
    tx.commit().await?;
    Ok(Json(answer))
}

/// The token of a link. Hashes have a form; what has none is not looked up.
async fn by_link(db: &mut PgConnection, hash: &str, kinds: &[Kind]) -> Result<Option<OneTime>, AuthError> {
    let hex = hash.strip_prefix("pkce_").unwrap_or(hash);
    if hex.len() != 56 || !hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return Ok(None);
    }
    Ok(auth_one_time::take_by_hash(db, hash, kinds).await?)
}

/// `GET /verify`: leads on, with a session (or, in the PKCE flow, a code) or an error.
pub async fn get(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    client: Client,
) -> Result<Response, AuthError> {
    let value = |name| query_value(query.as_deref(), name).filter(|value| !value.is_empty());
    limits::by_address(&server, &client, "verify", 30).await?;
    let verification = value("type").ok_or_else(|| AuthError::invalid("Verify requires a verification type"))?;
    let token = value("token")
        .or_else(|| value("token_hash"))
        .ok_or_else(|| AuthError::invalid("Verify requires a token or a token hash"))?;
    let place = server.links.redirect(value("redirect_to").as_deref());
    let pkce = token.starts_with("pkce_");
    match follow(&server, &client, &verification, &token, &place).await {
        Ok(place) => Ok(lead(&place)),
        // What failed for us, not for the link, is worth another try.
        Err(error) if error.status.is_server_error() => Err(error),
        Err(error) => {
            let status = match error.status {
                StatusCode::BAD_REQUEST => "invalid_request",
                StatusCode::UNAUTHORIZED => "unauthorized_client",
                _ => "access_denied",
            };
            let pairs = [("error", status), ("error_code", error.code), ("error_description", error.message.as_str())];
            let place = place.split_once('?').map_or(place.as_str(), |(before, _)| before);
            let place = if pkce { with_query(place, &pairs) } else { place.to_owned() };
            Ok(lead(&with_fragment(&place, &form(pairs.into_iter().chain([("sb", "")])))))
        }
    }
}

async fn follow(
    server: &AuthServer,
    client: &Client,
    verification: &str,
    token: &str,
    place: &str,
) -> Result<String, AuthError> {
    let kinds = kinds(verification)?;
    limits::links_open(server).await?;
    let mut tx = server.pool.begin().await?;
    let Some(found) = by_link(&mut tx, token, kinds).await? else {
        drop(tx);
        limits::wrong_link(server).await?;
        return Err(AuthError::otp_expired(BAD_LINK));
    };
    let place = match (act(&mut tx, server, client, &found, BAD_LINK).await?, &found.challenge) {
        (Verified::Half, challenge) => {
            let pair = [("message", HALF)];
            let place = if challenge.is_some() { with_query(place, &pair) } else { place.to_owned() };
            with_fragment(&place, &form(pair.into_iter().chain([("sb", "")])))
        }
        (Verified::Person(account), Some((challenge, method))) => {
            let how = if verification == "signup" { "email/signup" } else { verification };
            let code = flow::code(&mut tx, account.id, (challenge, method), how).await?;
            with_query(place, &[("code", &code)])
        }
        (Verified::Person(account), None) => {
            let session = sessions::open(&mut tx, server, &account, "otp", client).await?;
            let text = |name: &str| session[name].as_str().unwrap_or_default();
            let number = |name: &str| session[name].to_string();
            let (expires_at, expires_in) = (number("expires_at"), number("expires_in"));
            let pairs = [
                ("access_token", text("access_token")),
                ("expires_at", &expires_at),
                ("expires_in", &expires_in),
                ("refresh_token", text("refresh_token")),
                ("sb", ""),
                ("token_type", "bearer"),
                ("type", verification),
            ];
            with_fragment(place, &form(pairs))
        }
    };
    tx.commit().await?;
    Ok(place)
}

fn lead(place: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// `HEAD /verify`: programs look at links in mails to see whether they are harmful. Looking spends nothing.
pub async fn head() -> StatusCode {
    StatusCode::OK
}
