//! An S3 server of one test.

use std::net::SocketAddr;

use anyhow::Context as _;
use heimdex_db::store::S3Config;
use heimdex_s3_server::{Config, CorsOrigins, Limits};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// `heimdex-s3` in this process, on a free port of the loopback interface, with a folder that vanishes with it.
#[derive(Debug)]
pub struct TestS3 {
    address: SocketAddr,
    folder: tempfile::TempDir,
    limits: Limits,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl TestS3 {
    /// Starts a server with the limits of Amazon S3.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Limits::default()).await
    }

    /// Starts a server with limits of one's own, e.g. parts smaller than 5 MiB.
    pub async fn start_with(limits: Limits) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("a folder for the test's S3 server")?;
        let mut s3 = Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), folder, limits, running: None };
        s3.resume().await?;
        Ok(s3)
    }

    /// E.g. `http://127.0.0.1:40123`. Addressing is path-style.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The accepted access key.
    #[must_use]
    pub fn access_key_id(&self) -> &'static str {
        "heimdex-test"
    }

    /// Its secret.
    #[must_use]
    pub fn secret_access_key(&self) -> &'static str {
        "heimdex-test-secret"
    }

    /// The bucket, which exists.
    #[must_use]
    pub fn bucket(&self) -> &'static str {
        "heimdex"
    }

    /// Any region is accepted; this is the default one.
    #[must_use]
    pub fn region(&self) -> &'static str {
        "us-east-1"
    }

    /// For a client of it.
    #[must_use]
    pub fn config(&self) -> S3Config {
        let endpoint: url::Url = self.endpoint().parse().expect("a URL");
        S3Config {
            endpoint: endpoint.clone(),
            public_endpoint: endpoint,
            region: self.region().to_owned(),
            bucket: self.bucket().to_owned(),
            access_key_id: self.access_key_id().to_owned(),
            secret_access_key: self.secret_access_key().to_owned().into(),
        }
    }

    /// Where the server keeps its files.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Stops answering, as if the server were away. Nothing stored is lost.
    pub async fn pause(&mut self) {
        if let Some((stop, server)) = self.running.take() {
            let _ = stop.send(());
            // Connections kept alive by a client would outlast the grace period for running requests.
            let _ = server.await;
        }
    }

    /// Answers again, on the same port.
    pub async fn resume(&mut self) -> anyhow::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.address).await.context("a port for the test's S3 server")?;
        self.address = listener.local_addr()?;
        let config = Config {
            root: self.folder.path().to_owned(),
            access_key_id: self.access_key_id().to_owned(),
            secret_access_key: self.secret_access_key().to_owned(),
            bucket: self.bucket().to_owned(),
            cors_origins: CorsOrigins::Any,
            durable: false,
            limits: self.limits.clone(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let shutdown = async {
                // A dropped sender means that the test is over.
                let _ = stopped.await;
            };
            if let Err(error) = heimdex_s3_server::serve(listener, config, shutdown).await {
                panic!("the test's S3 server did not start: {error}");
            }
        });
        self.running = Some((stop, server));
        Ok(())
    }
}
