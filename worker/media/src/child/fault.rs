//! Planted faults: a decoder that hangs, crashes, eats memory or reaches out, on request.
#![allow(unsafe_code, reason = "a segmentation fault cannot be had safely")]

use std::io::Write;

use super::protocol::{Fault, Response};
use crate::error::{MediaError, Result};

pub(crate) fn commit(fault: Fault) -> Result<Response> {
    match fault {
        Fault::Hang => loop {
            std::thread::park();
        },
        Fault::Spin => {
            let mut n = 0_u64;
            loop {
                n = std::hint::black_box(n.wrapping_add(1));
            }
        }
        Fault::Abort => std::process::abort(),
        Fault::Segfault => {
            // SAFETY: none; the crash is the purpose. The address is never mapped.
            unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
            Err(MediaError::failed("fault", "survived a segmentation fault"))
        }
        Fault::Allocate => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1_u8; 16 << 20]);
                std::hint::black_box(&hoard);
            }
        }
        Fault::FillDisk => {
            let path = std::env::temp_dir().join(format!("heimdex-fault-{}", std::process::id()));
            let mut file = std::fs::File::create(&path).map_err(MediaError::io("create"))?;
            let _ = std::fs::remove_file(&path);
            loop {
                file.write_all(&[0; 1 << 16]).map_err(MediaError::io("write"))?;
            }
        }
        Fault::Connect(address) => refused("connect", std::net::TcpStream::connect(address)),
        Fault::Send(address) => refused(
            "send",
            std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"hello", address)),
        ),
        Fault::Read(path) => refused("read", std::fs::read(path)),
        Fault::Write(path) => refused("write", std::fs::write(path, "planted")),
        Fault::Remove(path) => refused("remove", std::fs::remove_file(path)),
        Fault::Exec => refused("exec", std::process::Command::new("/bin/true").status()),
        Fault::Babble => {
            println!("this is not the protocol");
            std::process::exit(0)
        }
    }
}

/// What must not work: its success is a failure of another kind.
fn refused<T: std::fmt::Debug>(what: &str, outcome: std::io::Result<T>) -> Result<Response> {
    match outcome {
        Ok(done) => Err(MediaError::failed("fault", format!("{what} was possible: {done:?}"))),
        Err(error) => Err(MediaError::io(what)(error)),
    }
}
