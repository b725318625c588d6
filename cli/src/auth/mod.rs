//! Who asks: an API token, or a session that is renewed before it ends.

pub mod gotrue;
pub mod store;

use chrono::Utc;
use tokio::sync::Mutex;

use crate::{
    api::Http,
    failure::{Failure, Result},
};
use store::{Credential, Session, Store};

/// A token this close to its end is renewed before it is used.
const MARGIN_S: i64 = 60;

/// Where the bearer of a request comes from.
pub enum Auth {
    Nobody {
        server: String,
    },
    /// Of the environment or of the credentials file.
    Token(String),
    Session(Box<Keeper>),
}

impl Auth {
    /// Of what is kept for a server.
    pub fn of(credential: Option<Credential>, store: Store, server: &str) -> Self {
        match credential {
            None => Self::Nobody { server: server.to_owned() },
            Some(Credential::Token { token }) => Self::Token(token),
            Some(Credential::Session(session)) => {
                let keeper = Keeper { store, server: server.to_owned(), held: Mutex::new(session) };
                Self::Session(Box::new(keeper))
            }
        }
    }

    /// A token that is good for a while. `refused` is one that the server did not take.
    pub async fn bearer(&self, http: &Http, refused: Option<&str>) -> Result<String> {
        match self {
            Self::Nobody { server } => Err(not_signed_in(server)),
            Self::Token(token) => Ok(token.clone()),
            Self::Session(keeper) => keeper.bearer(http, refused).await,
        }
    }

    /// Another token in place of a refused one; `None` where there is no other.
    pub async fn renewed(&self, http: &Http, refused: &str) -> Result<Option<String>> {
        match self {
            Self::Session(_) => self.bearer(http, Some(refused)).await.map(Some),
            Self::Nobody { .. } | Self::Token(_) => Ok(None),
        }
    }
}

fn not_signed_in(server: &str) -> Failure {
    Failure::NotSignedIn(format!("Nobody is signed in to {server}. Run `heimdex login {server}`."))
}

/// A session of the credentials file, as this process knows it.
pub struct Keeper {
    store: Store,
    server: String,
    held: Mutex<Session>,
}

impl Keeper {
    /// A refresh token is good once, so two processes must not trade the same one: whoever renews holds the file's lock, and
    /// first looks whether another was faster.
    async fn bearer(&self, http: &Http, refused: Option<&str>) -> Result<String> {
        let is_good = |session: &Session| {
            session.expires_at - MARGIN_S > Utc::now().timestamp() && refused != Some(session.access_token.as_str())
        };
        let mut held = self.held.lock().await;
        if is_good(&held) {
            return Ok(held.access_token.clone());
        }
        let lock = self.store.lock().await?;
        let mut kept = self.store.read()?;
        let session = kept.session(&self.server).ok_or_else(|| not_signed_in(&self.server))?;
        if !is_good(session) {
            let fresh = gotrue::refresh(http, session).await?;
            session.renew(fresh);
            let session = session.clone();
            self.store.write(&lock, &kept)?;
            *held = session;
        } else {
            *held = session.clone();
        }
        Ok(held.access_token.clone())
    }
}
