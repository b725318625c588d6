//! A TCP wire that can be cut: what a process sees when the other side is restarted or out of reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    Cut,
    Busy,
}

/// What a proxy says before a server that has too much to do: no body, and so no code of S3's.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Passes bytes on between a port of its own and a server, and counts what is sent to that server.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    state: Arc<watch::Sender<State>>,
    sent_bytes: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Wire {
    /// Listens on a port of its own and passes everything on to `target` (`host:port`).
    ///
    /// # Panics
    /// When this machine has no free port.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(watch::channel(State::Whole).0);
        let wire = Self { port, state, sent_bytes: Arc::default(), refused: Arc::default() };
        let (state, sent, refused) = (Arc::clone(&wire.state), Arc::clone(&wire.sent_bytes), Arc::clone(&wire.refused));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (mut state, sent, refused) = (state.subscribe(), Arc::clone(&sent), Arc::clone(&refused));
                let target = target.clone();
                tokio::spawn(async move {
                    let now = *state.borrow_and_update();
                    match now {
                        State::Whole => {}
                        // The connection is closed at once, as by a host without such a service.
                        State::Cut => {
                            refused.fetch_add(1, Ordering::Relaxed);
                            return;
                        }
                        State::Busy => {
                            refused.fetch_add(1, Ordering::Relaxed);
                            // Whoever went away before it was told has nothing to complain of.
                            let _ = say_busy(near).await;
                            return;
                        }
                    }
                    let Ok(far) = TcpStream::connect(&target).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    let unseen = AtomicU64::new(0);
                    tokio::select! {
                        _ = async { tokio::join!(carry(near_in, far_out, &sent), carry(far_in, near_out, &unseen)) } => {}
                        _ = state.wait_for(|state| *state != State::Whole) => {}
                    }
                });
            }
        });
        wire
    }

    /// Where it listens, on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes sent to the target so far, over all connections.
    #[must_use]
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Connections that were refused, or answered 503, so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Ends every connection and answers each new one 503, as a proxy does whose server is overloaded.
    pub fn busy(&self) {
        self.state.send_replace(State::Busy);
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

/// Answers once there is a request, and takes in the rest of it: a connection that is closed with something unread is reset, and the
/// answer lost with it.
async fn say_busy(mut near: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    if near.read(&mut buffer).await? > 0 {
        near.write_all(BUSY).await?;
        near.shutdown().await?;
        while near.read(&mut buffer).await? > 0 {}
    }
    Ok(())
}

/// One direction, until either side ends it.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, count: &AtomicU64) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        count.fetch_add(read as u64, Ordering::Relaxed);
    }
}
