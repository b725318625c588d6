//! Somebody's machine: a home folder, and commands that see nothing of the machine that runs the tests.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

use super::{App, PASSWORD, Person};

pub struct Machine {
    home: tempfile::TempDir,
    server: String,
}

/// A command that has ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Machine {
    pub fn of(app: &App) -> Self {
        Self::at(&app.base)
    }

    /// One that reaches its server by this address.
    pub fn at(server: &str) -> Self {
        Self { home: tempfile::tempdir().unwrap(), server: server.to_owned() }
    }

    /// One on which this person has signed in by password.
    pub async fn signed_in(app: &App, person: &Person) -> Self {
        Self::signed_in_at(&app.base, person).await
    }

    pub async fn signed_in_at(server: &str, person: &Person) -> Self {
        let machine = Self::at(server);
        let login = ["login", server, "--email", &person.email, "--password-stdin"];
        machine.typed(&login, PASSWORD).await.done();
        machine
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn credentials(&self) -> PathBuf {
        self.path("config/heimdex/credentials.json")
    }

    /// A file whose bytes differ from block to block.
    pub fn file(&self, name: &str, size: usize) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes: Vec<u8> = (0..size).map(|n| (n / 1024 % 251) as u8).collect();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heimdex"));
        command.args(words);
        self.dressed(command)
    }

    /// A command of a shell, in which `$0` is the program and `$@` the words.
    pub fn shell(&self, script: &str, words: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_heimdex")]).args(words);
        self.dressed(command)
    }

    fn dressed(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("HEIMDEX_URL", &self.server)
            .env("TZ", "UTC")
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub async fn run(&self, words: &[&str]) -> Ran {
        Ran::from(self.command(words).output().await.unwrap())
    }

    /// With an API token in the environment.
    pub async fn run_with_token(&self, token: &str, words: &[&str]) -> Ran {
        Ran::from(self.command(words).env("HEIMDEX_TOKEN", token).output().await.unwrap())
    }

    /// With a line on standard input.
    pub async fn typed(&self, words: &[&str], line: &str) -> Ran {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        drop(input);
        Ran::from(child.wait_with_output().await.unwrap())
    }

    /// With its standard output in a file or a device.
    pub async fn run_into(&self, file: &Path, words: &[&str]) -> Ran {
        let file = std::fs::File::options().write(true).open(file).unwrap();
        let child = self.command(words).stdout(file).spawn().unwrap();
        Ran::from(child.wait_with_output().await.unwrap())
    }

    pub fn start(&self, words: &[&str]) -> Child {
        self.command(words).spawn().unwrap()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    pub fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn done(&self) -> &Self {
        self.ended(0)
    }

    /// Standard output as one document of JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\nerr: {}", self.out, self.err))
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

/// An API token of a person.
pub async fn token(person: &Person, scopes: &[&str]) -> String {
    let made = person.post("/users/me/tokens", json!({ "name": "Terminal", "scopes": scopes })).await;
    made.assert_status(201).body["token"].as_str().unwrap().to_owned()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
