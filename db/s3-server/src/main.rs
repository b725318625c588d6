//! `heimdex-s3`: the S3 server of the embedded default.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use heimdex_s3_server::{Config, CorsOrigins, Limits, serve};

/// A small S3 server for one machine. Settings come from the environment.
#[derive(Parser)]
#[command(version)]
struct Settings {
    /// Address to listen on.
    #[arg(long, env = "HEIMDEX_S3_BIND", default_value = "127.0.0.1:8490")]
    bind: SocketAddr,
    /// Folder that holds the objects.
    #[arg(long, env = "HEIMDEX_S3_ROOT")]
    root: PathBuf,
    /// The access key that is accepted.
    #[arg(long, env = "S3_ACCESS_KEY_ID")]
    access_key_id: String,
    /// Its secret.
    #[arg(env = "S3_SECRET_ACCESS_KEY", hide_env_values = true, hide = true)]
    secret_access_key: String,
    /// Bucket to create at start.
    #[arg(long, env = "S3_BUCKET", default_value = "heimdex")]
    bucket: String,
    /// Web origins that may use presigned URLs: `*` or a comma-separated list.
    #[arg(long, env = "HEIMDEX_S3_CORS_ORIGINS", default_value = "*")]
    cors_origins: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,s3s=warn")),
        )
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr)
        .init();
    let settings = Settings::parse();
    let listener = tokio::net::TcpListener::bind(settings.bind)
        .await
        .with_context(|| format!("cannot listen on {} (HEIMDEX_S3_BIND)", settings.bind))?;
    tracing::info!(address = %listener.local_addr()?, root = %settings.root.display(), "serving S3");
    let config = Config {
        root: settings.root,
        access_key_id: settings.access_key_id,
        secret_access_key: settings.secret_access_key,
        bucket: settings.bucket,
        cors_origins: CorsOrigins::parse(&settings.cors_origins),
        durable: true,
        limits: Limits::default(),
    };
    serve(listener, config, shutdown_signal()?).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves at SIGTERM or SIGINT.
fn shutdown_signal() -> anyhow::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {},
            _ = interrupt.recv() => {},
        }
    })
}
