//! Mail to a real SMTP server, by real workers, some of which are killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod common;

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use common::{PATIENCE, World, until};
use heimdex_db::{Stage, mail};
use mailin::{Handler, Response, SessionBuilder, response};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// A message as the server took it.
#[derive(Clone, Debug, Default)]
struct Taken {
    from: String,
    to: Vec<String>,
    text: String,
}

#[derive(Default)]
struct Mailbox {
    taken: Mutex<Vec<Taken>>,
    /// Recipients that are refused for good.
    unknown: Mutex<Vec<String>>,
    /// Connections that are still turned away.
    turn_away: Mutex<u32>,
}

#[derive(Clone)]
struct Receiver {
    mailbox: Arc<Mailbox>,
    current: Taken,
    bytes: Vec<u8>,
}

impl Handler for Receiver {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        self.current = Taken { from: from.to_owned(), ..Taken::default() };
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if self.mailbox.unknown.lock().unwrap().iter().any(|unknown| unknown == to) {
            return response::NO_MAILBOX;
        }
        self.current.to.push(to.to_owned());
        response::OK
    }

    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.current.text = String::from_utf8_lossy(&std::mem::take(&mut self.bytes)).into_owned();
        self.mailbox.taken.lock().unwrap().push(self.current.clone());
        response::OK
    }
}

/// An SMTP server on a port of its own.
struct Server {
    mailbox: Arc<Mailbox>,
    port: u16,
    /// The answer to the end of a message waits for one of these.
    may_answer: Arc<Semaphore>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mailbox, may_answer) = (Arc::<Mailbox>::default(), Arc::new(Semaphore::new(1000)));
        let (boxed, answers) = (Arc::clone(&mailbox), Arc::clone(&may_answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&boxed), Arc::clone(&answers)));
            }
        });
        Self { mailbox, port, may_answer }
    }

    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    async fn takes(&self, count: usize) -> Vec<Taken> {
        until(&format!("{count} mails have come"), PATIENCE, async || {
            let taken = self.mailbox.taken.lock().unwrap();
            (taken.len() >= count).then(|| taken.clone())
        })
        .await
    }
}

/// One connection: the protocol is mailin's, the socket ours.
async fn serve(stream: TcpStream, mailbox: Arc<Mailbox>, may_answer: Arc<Semaphore>) -> io::Result<()> {
    let peer = stream.peer_addr()?.ip();
    let turned_away = {
        let mut left = mailbox.turn_away.lock().unwrap();
        let turned = *left > 0;
        *left = left.saturating_sub(1);
        turned
    };
    let (read, mut write) = stream.into_split();
    if turned_away {
        return write.write_all(b"421 too busy\r\n").await;
    }
    let receiver = Receiver { mailbox: Arc::clone(&mailbox), current: Taken::default(), bytes: Vec::new() };
    let mut session = SessionBuilder::new("mail.example.org").build(peer, receiver);
    let mut answer = Vec::new();
    session.greeting().write_to(&mut answer)?;
    write.write_all(&answer).await?;
    let mut lines = BufReader::new(read);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).await? > 0 {
        let before = mailbox.taken.lock().unwrap().len();
        let response = session.process(&line);
        line.clear();
        if mailbox.taken.lock().unwrap().len() > before {
            may_answer.acquire().await.map_err(io::Error::other)?.forget();
        }
        let mut answer = Vec::new();
        response.write_to(&mut answer)?;
        write.write_all(&answer).await?;
    }
    Ok(())
}

async fn letter(world: &World, to: &str) -> i64 {
    let mut tx = world.pool().begin().await.unwrap();
    let id =
        mail::enqueue(&mut tx, to, "Your link — für dich", "Sign in by this link:\nhttps://heimdex.example/…\n", true)
            .await
            .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn task_states(world: &World) -> Vec<(String, Option<String>)> {
    sqlx::query_as("SELECT state::text, error_code FROM tasks ORDER BY created_at")
        .fetch_all(world.pool())
        .await
        .unwrap()
}

async fn settled(world: &World, expected: &[(&str, Option<&str>)]) {
    let expected: Vec<(String, Option<String>)> =
        expected.iter().map(|(state, code)| ((*state).to_owned(), code.map(ToOwned::to_owned))).collect();
    until(&format!("the tasks are {expected:?}"), PATIENCE, async || {
        (task_states(world).await == expected).then_some(())
    })
    .await;
}

fn worker<'a>(world: &'a World, server: &Server, name: &str) -> common::WorkerCommand<'a> {
    world
        .worker(name)
        .stages(&[Stage::Commit])
        .with("HEIMDEX_SMTP_URL", server.url())
        .with("HEIMDEX_SMTP_FROM", "Heimdex <heimdex@example.org>")
}

#[tokio::test]
async fn a_letter_reaches_the_mail_server_and_its_text_is_forgotten_here() {
    let (world, server) = (World::new().await, Server::start().await);
    // The first connection is turned away: that is no reason to give up.
    *server.mailbox.turn_away.lock().unwrap() = 1;
    server.mailbox.unknown.lock().unwrap().push("gone@example.org".to_owned());
    letter(&world, "ann@example.org").await;
    let worker = worker(&world, &server, "postman").start();
    let taken = server.takes(1).await.remove(0);
    assert_eq!(
        (taken.from.as_str(), taken.to.as_slice()),
        ("heimdex@example.org", ["ann@example.org".to_owned()].as_slice())
    );
    for part in
        ["From: Heimdex <heimdex@example.org>", "Subject: Your link =?utf-8?b?", "Message-ID: <heimdex-", "Date: "]
    {
        assert!(taken.text.contains(part), "{part}: {}", taken.text);
    }
    settled(&world, &[("completed", None)]).await;
    let attempts: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT state, error_code FROM job_attempts ORDER BY number")
            .fetch_all(world.pool())
            .await
            .unwrap();
    assert_eq!(attempts, [("failed".to_owned(), Some("smtp".to_owned())), ("completed".to_owned(), None)]);
    let kept = mail::newest(world.pool(), 5).await.unwrap().remove(0);
    assert!(kept.sent_at.is_some() && kept.body.is_empty(), "{kept:?}");

    letter(&world, "gone@example.org").await;
    settled(&world, &[("completed", None), ("failed", Some("mail_refused"))]).await;
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test]
async fn a_killed_worker_loses_no_letter() {
    let (world, server) = (World::new().await, Server::start().await);
    server.may_answer.forget_permits(1000);
    letter(&world, "ann@example.org").await;
    let first = worker(&world, &server, "first").start();
    // The server has the letter, the worker does not know it yet: the worst moment.
    server.takes(1).await;
    first.kill().await;
    server.may_answer.add_permits(1000);
    let second = worker(&world, &server, "second").start();
    let taken = server.takes(2).await;
    let id = |taken: &Taken| taken.text.lines().find(|line| line.starts_with("Message-ID")).map(ToOwned::to_owned);
    assert_eq!(id(&taken[0]), id(&taken[1]), "the reader's program sees that it is one letter");
    until("the letter is done", PATIENCE, async || (task_states(&world).await[0].0 == "completed").then_some(())).await;
    assert_eq!(second.terminate().await, Some(0));
}
