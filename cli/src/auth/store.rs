//! What is kept between two commands: one file for its owner alone, replaced as a whole, never printed.

use std::{
    collections::BTreeMap,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

use super::gotrue::Fresh;
use crate::failure::{Failure, Result};

/// Longer than a refresh may take.
const LOCK_PATIENCE: Duration = Duration::from_secs(90);

/// Deliberately without `Debug`: it holds secrets.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Kept {
    /// The server signed in to last.
    pub current: Option<String>,
    #[serde(default)]
    pub servers: BTreeMap<String, Entry>,
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Entry {
    /// Allowed when signing in.
    #[serde(default)]
    pub insecure_http: bool,
    #[serde(flatten)]
    pub credential: Credential,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Credential {
    Token { token: String },
    Session(Session),
}

#[derive(Clone, Deserialize, Serialize)]
pub struct Session {
    pub email: String,
    /// Base of the auth server, without `/auth/v1`.
    pub auth_url: String,
    pub publishable_key: String,
    pub access_token: String,
    pub refresh_token: String,
    /// Unix seconds.
    pub expires_at: i64,
}

impl Session {
    pub fn renew(&mut self, fresh: Fresh) {
        self.access_token = fresh.access_token;
        self.refresh_token = fresh.refresh_token;
        self.expires_at = fresh.expires_at;
    }
}

impl Kept {
    pub fn session(&mut self, server: &str) -> Option<&mut Session> {
        match &mut self.servers.get_mut(server)?.credential {
            Credential::Session(session) => Some(session),
            Credential::Token { .. } => None,
        }
    }
}

/// The folder of the credentials.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

/// Held by whoever changes the credentials; given back when dropped.
pub struct Lock(#[expect(dead_code, reason = "closing the file gives the lock back")] File);

impl Store {
    /// `$XDG_CONFIG_HOME/heimdex`, by default `~/.config/heimdex`.
    pub fn of_this_person() -> Result<Self> {
        let base = etcetera::base_strategy::Xdg::new()
            .map_err(|_| Failure::Other(anyhow::anyhow!("this account has no home folder; set XDG_CONFIG_HOME")))?;
        Ok(Self(base.config_dir().join("heimdex")))
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("credentials.json")
    }

    /// Nothing is kept before the first sign-in.
    pub fn read(&self) -> Result<Kept> {
        let file = self.file();
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
            Err(error) => return Err(anyhow::Error::new(error).context(shown(&file)).into()),
        };
        // What is wrong with it may quote a secret.
        serde_json::from_slice(&text)
            .map_err(|_| anyhow::anyhow!("{} is damaged; delete it and sign in again", file.display()).into())
    }

    /// Waits until no other process changes the credentials.
    pub async fn lock(&self) -> Result<Lock> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).with_context(|| shown(&self.0))?;
        let path = self.0.join("credentials.lock");
        let file =
            OpenOptions::new().create(true).append(true).mode(0o600).open(&path).with_context(|| shown(&path))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(anyhow::anyhow!("another heimdex has held {} for too long", path.display()).into());
                }
                Err(TryLockError::Error(error)) => return Err(anyhow::Error::new(error).context(shown(&path)).into()),
            }
        }
    }

    /// Puts the credentials in place by one rename. A temporary file of `tempfile` has mode 0600.
    pub fn write(&self, _lock: &Lock, kept: &Kept) -> Result<()> {
        let written = || -> anyhow::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            serde_json::to_writer_pretty(&mut file, kept)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(self.file())?;
            Ok(())
        };
        Ok(written().with_context(|| shown(&self.file()))?)
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn session(refresh_token: &str) -> Entry {
        Entry {
            insecure_http: false,
            credential: Credential::Session(Session {
                email: "ann@example.org".into(),
                auth_url: "http://h".into(),
                publishable_key: String::new(),
                access_token: "a".into(),
                refresh_token: refresh_token.into(),
                expires_at: 7,
            }),
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_read_back_and_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().join("heimdex"));
        assert!(store.read().unwrap().servers.is_empty());
        for secret in ["one", "two"] {
            let lock = store.lock().await.unwrap();
            let servers = BTreeMap::from([("http://h".to_owned(), session(secret))]);
            store.write(&lock, &Kept { current: Some("http://h".into()), servers }).unwrap();
            let mut kept = store.read().unwrap();
            assert_eq!(kept.session("http://h").unwrap().refresh_token, secret);
        }
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(store.file()), mode(store.0.clone())), (0o600, 0o700));
    }

    #[test]
    fn a_damaged_file_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store(folder.path().to_owned());
        std::fs::write(store.file(), r#"{"servers":{"h":{"kind":"token","token":hx_secret}}}"#).unwrap();
        let said = store.read().err().unwrap().to_string();
        assert!(said.contains("credentials.json") && !said.contains("hx_secret"), "{said}");
    }
}
