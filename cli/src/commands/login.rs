//! `heimdex login`: a session by password, or an API token, checked before it is kept.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    api::{self, Api, Http},
    args::{Global, Login},
    auth::{
        Auth,
        gotrue::{self, Config},
        store::{Credential, Entry, Session, Store},
    },
    context::{self, TOKEN_VARIABLE, checked_token},
    failure::{Failure, Result},
    output::{Out, harmless},
    server::Server,
};

/// Longer than any password or token.
const MAX_SECRET_BYTES: u64 = 16 << 10;

pub fn run(runtime: &Runtime, global: &Global, login: &Login, out: &Out) -> Result<()> {
    let store = Store::of_this_person()?;
    let asked = login.url.as_deref().or(global.server.as_deref());
    let (server, insecure_http) = context::server(asked, global.insecure_http, &store.read()?)?;
    let http = Http::new()?;
    // Before anybody types a password for it.
    let config: Config = runtime.block_on(async {
        let config = api::public(&http, &server, "/config").await?;
        serde_json::from_value(config).map_err(|_| {
            Failure::Unreachable(format!("{} answers, but not as a Heimdex server does.", server.as_str()))
        })
    })?;
    let credential = if login.token || login.token_stdin {
        let token = if login.token_stdin { from_stdin("a token")? } else { hidden("API token: ")? };
        Credential::Token { token: checked_token(&token)? }
    } else {
        let auth_url = config.auth_base(&server, insecure_http)?;
        let email = match &login.email {
            Some(email) => email.trim().to_owned(),
            None => asked_for(&format!("Address at {}: ", server.as_str()))?,
        };
        let password = if login.password_stdin { from_stdin("a password")? } else { hidden("Password: ")? };
        let fresh = runtime.block_on(gotrue::sign_in(&http, &auth_url, &config.publishable_key, &email, &password))?;
        Credential::Session(Session {
            email: fresh.email.unwrap_or(email),
            auth_url,
            publishable_key: config.publishable_key,
            access_token: fresh.access_token,
            refresh_token: fresh.refresh_token,
            expires_at: fresh.expires_at,
        })
    };
    let entry = Entry { insecure_http, credential };
    runtime.block_on(keep(http, &store, &server, entry, out))
}

/// Asks the server who this is, and keeps the credential if it takes it.
async fn keep(http: Http, store: &Store, server: &Server, entry: Entry, out: &Out) -> Result<()> {
    let bearer = match &entry.credential {
        Credential::Token { token } => token.clone(),
        Credential::Session(session) => session.access_token.clone(),
    };
    let me = match Api::new(server.clone(), entry.insecure_http, http, Auth::Token(bearer)).get("/users/me").await {
        // A token for uploads or searches alone may not read the profile.
        Err(failure) if failure.problem("insufficient_scope").is_some() => Value::Null,
        Err(Failure::NotSignedIn(_)) => {
            return Err(Failure::NotSignedIn(format!("{} does not take this token.", server.as_str())));
        }
        other => other?,
    };
    let insecure_http = entry.insecure_http;
    let by = if matches!(entry.credential, Credential::Token { .. }) { "token" } else { "password" };
    let lock = store.lock().await?;
    let mut kept = store.read()?;
    kept.servers.insert(server.as_str().to_owned(), entry);
    kept.current = Some(server.as_str().to_owned());
    store.write(&lock, &kept)?;
    if std::env::var_os(TOKEN_VARIABLE).is_some_and(|token| !token.is_empty()) {
        out.say(&format!("Note: {TOKEN_VARIABLE} is set and goes before what was just kept."));
    }
    if insecure_http {
        out.say("Note: nothing is encrypted on the way to this server.");
    }
    if out.json {
        return out.document(&json!({ "server": server.as_str(), "signed_in_by": by, "email": me["email"] }));
    }
    let who = me["email"].as_str().map_or_else(String::new, |email| format!(" as {}", harmless(email)));
    out.line(&format!("Signed in to {}{who}.", server.as_str()))
}

fn asked_for(question: &str) -> Result<String> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "There is no terminal to ask at. Use --email with --password-stdin, or --token-stdin.".into(),
        ));
    }
    let mut out = io::stderr();
    write!(out, "{question}")?;
    out.flush()?;
    let mut line = String::new();
    io::stdin().lock().take(MAX_SECRET_BYTES).read_line(&mut line)?;
    match line.trim() {
        "" => Err(Failure::Usage("Without an address nobody can be signed in.".into())),
        text => Ok(text.to_owned()),
    }
}

/// Typed without being shown.
fn hidden(question: &str) -> Result<String> {
    rpassword::prompt_password(question)
        .map_err(|_| Failure::Usage("There is no terminal to ask at. Use --password-stdin or --token-stdin.".into()))
}

/// The first line of standard input.
fn from_stdin(what: &str) -> Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(MAX_SECRET_BYTES).read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(Failure::Usage(format!("Standard input should have {what}, and has nothing.")));
    }
    Ok(line.to_owned())
}
