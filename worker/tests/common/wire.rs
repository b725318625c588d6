//! A TCP wire that can be cut: what a process sees when the other side is restarted or out of reach.

use std::sync::Arc;

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub struct Wire {
    port: u16,
    whole: Arc<watch::Sender<bool>>,
}

impl Wire {
    /// Listens on a port of its own and passes everything on to `target`.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let whole = Arc::new(watch::channel(true).0);
        let state = Arc::clone(&whole);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut whole = state.subscribe();
                let target = target.clone();
                tokio::spawn(async move {
                    // Cut: the connection is closed at once, as by a host without such a service.
                    if !*whole.borrow_and_update() {
                        return;
                    }
                    let mut near = near;
                    let Ok(mut far) = TcpStream::connect(&target).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = whole.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { port, whole }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}
