//! A decoder that hangs, crashes, eats memory or reaches out, and what its host learns of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]
#![cfg(feature = "fault-injection")]

mod common;

use std::time::{Duration, Instant};

use common::Desk;
use heimdex_media::child::{Fault, Limits, Request};
use heimdex_media::{Limit, MediaError};

async fn end_of(fault: Fault, limits: Limits, deadline: Duration) -> MediaError {
    let mut desk = Desk::new();
    desk.runner.limits = limits;
    desk.runner.run(Request::Fault { fault }, deadline, |_| ()).await.expect_err("a planted fault never succeeds")
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_hang_ends_at_its_deadline() {
    let started = Instant::now();
    let error = end_of(Fault::Hang, Limits::default(), Duration::from_secs(1)).await;
    assert!(matches!(error, MediaError::TimedOut(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn crashes_are_told_by_their_signal() {
    let error = end_of(Fault::Segfault, Limits::default(), LONG).await;
    assert!(matches!(error, MediaError::Crashed { signal: libc::SIGSEGV, .. }), "{error}");
    let error = end_of(Fault::Abort, Limits::default(), LONG).await;
    assert!(matches!(error, MediaError::Crashed { signal: libc::SIGABRT, .. }), "{error}");
}

#[tokio::test]
async fn limits_are_told_by_name() {
    let small = Limits { memory_bytes: 256 << 20, cpu_s: 1, file_bytes: 1 << 20, ..Limits::default() };
    let hit = |error: MediaError| match error {
        MediaError::ResourceLimit { limit, .. } => limit,
        other => panic!("{other}"),
    };
    assert_eq!(hit(end_of(Fault::Allocate, small, LONG).await), Limit::Memory);
    assert_eq!(hit(end_of(Fault::Spin, small, LONG).await), Limit::Cpu);
    assert_eq!(hit(end_of(Fault::FillDisk, small, LONG).await), Limit::FileSize);
}

#[tokio::test]
async fn neither_network_nor_programs_can_be_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    datagrams.set_nonblocking(true).unwrap();
    let faults = [
        Fault::Connect(listener.local_addr().unwrap()),
        Fault::Connect("[::1]:9".parse().unwrap()),
        Fault::Send(datagrams.local_addr().unwrap()),
        Fault::Exec,
    ];
    for fault in faults {
        let error = end_of(fault.clone(), Limits::default(), LONG).await.to_string();
        assert!(error.contains("not permitted"), "{fault:?}: {error}");
    }
    assert!(listener.accept().is_err(), "nobody called");
    assert!(datagrams.recv_from(&mut [0; 16]).is_err(), "nobody wrote");
}

/// Landlock is what keeps it from files; a kernel without would leave that to the other walls.
#[tokio::test]
async fn no_file_but_its_own_can_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "for my eyes only").unwrap();
    let faults = [
        Fault::Read(secret.clone()),
        Fault::Read("/etc/passwd".into()),
        // Who may read this has the worker's passwords.
        Fault::Read(format!("/proc/{}/environ", std::process::id()).into()),
        Fault::Write(secret.clone()),
        Fault::Write(folder.path().join("new")),
        Fault::Remove(secret.clone()),
    ];
    for fault in faults {
        let error = end_of(fault.clone(), Limits::default(), LONG).await.to_string();
        assert!(error.contains("Permission denied"), "{fault:?}: {error}");
    }
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "for my eyes only");
    assert!(!folder.path().join("new").exists());
}

#[tokio::test]
async fn nonsense_is_a_failure() {
    let error = end_of(Fault::Babble, Limits::default(), LONG).await;
    assert!(matches!(error, MediaError::Failed { .. }), "{error}");
}

#[tokio::test]
async fn neighbours_do_not_notice() {
    let desk = Desk::new();
    let video = desk.three_shots("v.mp4", "-c:v libx264 -preset ultrafast");
    let (crash, probe) =
        tokio::join!(desk.runner.run(Request::Fault { fault: Fault::Segfault }, LONG, |_| ()), desk.probe(&video),);
    assert!(crash.is_err() && probe.is_ok());
}
