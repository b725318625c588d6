//! A TCP wire that can be cut: what a process sees when the other side is restarted or out of reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes bytes on between a port of its own and a server, and counts what is sent to that server.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    whole: Arc<watch::Sender<bool>>,
    sent_bytes: Arc<AtomicU64>,
}

impl Wire {
    /// Listens on a port of its own and passes everything on to `target` (`host:port`).
    ///
    /// # Panics
    /// When this machine has no free port.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let wire = Self { port, whole: Arc::new(watch::channel(true).0), sent_bytes: Arc::default() };
        let (state, sent) = (Arc::clone(&wire.whole), Arc::clone(&wire.sent_bytes));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (mut whole, sent) = (state.subscribe(), Arc::clone(&sent));
                let target = target.clone();
                tokio::spawn(async move {
                    // Cut: the connection is closed at once, as by a host without such a service.
                    if !*whole.borrow_and_update() {
                        return;
                    }
                    let Ok(far) = TcpStream::connect(&target).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    let unseen = AtomicU64::new(0);
                    tokio::select! {
                        _ = async { tokio::join!(carry(near_in, far_out, &sent), carry(far_in, near_out, &unseen)) } => {}
                        _ = whole.wait_for(|whole| !whole) => {}
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

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
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
