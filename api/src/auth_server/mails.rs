//! Letters: each makes its token, is counted, and is kept in the outbox on the caller's transaction.

use heimdex_db::{
    PgConnection,
    auth_credentials::{self, Credential, Sent},
    auth_one_time::Kind,
    mail,
};

use super::{
    AuthServer,
    error::AuthError,
    flow::Challenge,
    limits,
    one_time::{self, Issued},
};

/// What is written to somebody.
#[derive(Clone, Copy, Debug)]
pub enum Letter<'a> {
    Confirmation {
        challenge: Option<&'a Challenge>,
        redirect_to: &'a str,
    },
    Invitation {
        redirect_to: &'a str,
    },
    Recovery {
        challenge: Option<&'a Challenge>,
        redirect_to: &'a str,
    },
    MagicLink {
        challenge: Option<&'a Challenge>,
        redirect_to: &'a str,
    },
    /// To the address the account is to have, and, where both must agree, to the one it has.
    EmailChange {
        challenge: Option<&'a Challenge>,
        redirect_to: &'a str,
    },
    Reauthentication,
}

/// Writes a letter to an account.
pub async fn send(
    db: &mut PgConnection,
    server: &AuthServer,
    account: &Credential,
    letter: Letter<'_>,
) -> Result<(), AuthError> {
    let address = account.email.as_str();
    let (sent, kind, action, challenge, redirect_to) = match letter {
        Letter::Confirmation { challenge, redirect_to } => {
            (Sent::Confirmation, Kind::Confirmation, "signup", challenge, redirect_to)
        }
        Letter::Invitation { redirect_to } => (Sent::Invitation, Kind::Confirmation, "invite", None, redirect_to),
        Letter::Recovery { challenge, redirect_to } => {
            (Sent::Recovery, Kind::Recovery, "recovery", challenge, redirect_to)
        }
        Letter::MagicLink { challenge, redirect_to } => {
            (Sent::Recovery, Kind::Recovery, "magiclink", challenge, redirect_to)
        }
        Letter::Reauthentication => (Sent::Reauthentication, Kind::Reauthentication, "reauthentication", None, ""),
        Letter::EmailChange { challenge, redirect_to } => {
            return email_change(db, server, account, challenge, redirect_to).await;
        }
    };
    let issued = one_time::issue(&mut *db, server, account, kind, address, challenge).await?;
    auth_credentials::mark_sent(&mut *db, account.id, sent).await?;
    post(db, server, address, action, &issued, redirect_to).await
}

async fn email_change(
    db: &mut PgConnection,
    server: &AuthServer,
    account: &Credential,
    challenge: Option<&Challenge>,
    redirect_to: &str,
) -> Result<(), AuthError> {
    let Some(new) = account.new_email.as_deref() else { return Ok(()) };
    let issued = one_time::issue(&mut *db, server, account, Kind::EmailChangeNew, new, challenge).await?;
    post(&mut *db, server, new, "email_change", &issued, redirect_to).await?;
    if server.settings.secure_email_change {
        let kind = Kind::EmailChangeCurrent;
        let issued = one_time::issue(&mut *db, server, account, kind, &account.email, challenge).await?;
        post(&mut *db, server, &account.email, "email_change", &issued, redirect_to).await?;
    }
    auth_credentials::mark_sent(db, account.id, Sent::EmailChange).await?;
    Ok(())
}

async fn post(
    db: &mut PgConnection,
    server: &AuthServer,
    to: &str,
    action: &str,
    issued: &Issued,
    redirect_to: &str,
) -> Result<(), AuthError> {
    limits::count_mail(&mut *db, server).await?;
    let (subject, why, what) = words(action);
    let link = server.links.letter(&issued.token_hash, action, redirect_to);
    let way = if action == "reauthentication" {
        format!("Your code: {}", issued.otp)
    } else {
        format!("{what}\n{link}\n\nOr enter this code: {}", issued.otp)
    };
    let good = server.settings.otp_ttl.as_secs().div_ceil(60);
    let body = format!(
        "{why}\n\n{way}\n\nIt is good once, for {good} minutes. If you did not ask for it, you need not do anything.\n\nHeimdex\n"
    );
    mail::enqueue(db, to, subject, &body, server.settings.smtp).await?;
    Ok(())
}

/// Subject, reason, and what the link does.
fn words(action: &str) -> (&'static str, &'static str, &'static str) {
    match action {
        "signup" => (
            "Confirm your address",
            "Somebody, we hope you, has made a Heimdex account with this address.",
            "Confirm it by this link:",
        ),
        "invite" => (
            "You are invited to Heimdex",
            "You have been invited to Heimdex, a memory for video.",
            "Accept by this link:",
        ),
        "recovery" => {
            ("Choose a new password", "A new password was asked for your Heimdex account.", "Choose one by this link:")
        }
        "magiclink" => ("Your link to sign in", "A link to sign in to Heimdex was asked for.", "Sign in by this link:"),
        "email_change" => (
            "Confirm the change of your address",
            "A Heimdex account is about to change its address from or to this one.",
            "Agree by this link:",
        ),
        _ => ("Your code", "Heimdex wants to be sure that it is you.", ""),
    }
}
