//! `heimdex logout`: ends the session at the server and forgets it here.

use serde_json::json;

use crate::{
    api::Http,
    args::Global,
    auth::{
        gotrue,
        store::{Credential, Store},
    },
    context,
    failure::Result,
    output::Out,
};

pub async fn run(global: &Global, out: &Out) -> Result<()> {
    let store = Store::of_this_person()?;
    let lock = store.lock().await?;
    let mut kept = store.read()?;
    let (server, _) = context::server(global.server.as_deref(), global.insecure_http, &kept)?;
    let server = server.as_str();
    let entry = kept.servers.remove(server);
    if kept.current.as_deref() == Some(server) {
        kept.current = None;
    }
    store.write(&lock, &kept)?;
    match &entry {
        None => out.say(&format!("Nobody was signed in to {server}.")),
        Some(entry) => match &entry.credential {
            Credential::Token { .. } => {
                out.say("The API token is forgotten here and still good: revoke it in the dashboard's profile.");
            }
            Credential::Session(session) => {
                // It is forgotten here whatever the server says, and ends by itself.
                if let Err(failure) = gotrue::sign_out(&Http::new()?, session).await {
                    out.say(&format!("The session is forgotten here, but the server could not be told: {failure}"));
                }
            }
        },
    }
    if out.json {
        return out.document(&json!({ "server": server, "was_signed_in": entry.is_some() }));
    }
    out.line(&format!("Signed out of {server}."))
}
