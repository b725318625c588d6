//! The commands of `heimdex-api`.

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use heimdex_db::{UserTier, audit::By};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    auth_server::signup,
    config::Config,
    openapi,
    start::{self, Listeners},
};

#[derive(Parser)]
#[command(name = "heimdex-api", version, about = "The HTTP API of Heimdex")]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default)
    Serve,
    /// Print the OpenAPI document
    Openapi,
    /// Bring the database to this version's schema
    Migrate,
    /// Make an account of the enterprise tier, unless it exists (embedded auth server only)
    DemoAccount {
        #[arg(long)]
        email: String,
        #[arg(long)]
        password: String,
        #[arg(long)]
        name: String,
    },
    /// Let a person do something: member, operator or admin
    Grant { email: String, role: String },
    /// Set a person's limits: free, pro or enterprise
    SetTier { email: String, tier: UserTier },
}

/// Runs the command that was given.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let command = cli.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Openapi) {
        println!("{}", openapi::document().to_pretty_json()?);
        return Ok(());
    }
    let config = Config::from_env()?;
    match command {
        Command::Openapi => {}
        Command::Serve => serve(config).await?,
        Command::Migrate => {
            start::open_database(&config).await?;
            println!("The database is up to date.");
        }
        Command::DemoAccount { email, password, name } => {
            if !config.auth.is_embedded() {
                bail!("SUPABASE_URL is set: accounts are made there");
            }
            let pool = start::open_database(&config).await?;
            let server = start::embedded(&config, &pool).await?;
            let made = signup::ensure(&server, &email, &password, &name)
                .await
                .map_err(|error| anyhow::anyhow!("{error:?}"))?;
            let mut connection = pool.acquire().await?;
            heimdex_db::users::set_tier(&mut connection, &email, UserTier::Enterprise, &By::command()).await?;
            println!("{email}: {}", if made { "made" } else { "exists" });
        }
        Command::Grant { email, role } => {
            if !["member", "operator", "admin"].contains(&role.as_str()) {
                bail!("`{role}` is not one of: member, operator, admin");
            }
            let pool = start::open_database(&config).await?;
            let mut tx = pool.begin().await?;
            heimdex_db::users::grant(&mut tx, &email, &role, &By::command())
                .await
                .with_context(|| format!("no single account has the address {email}"))?;
            tx.commit().await?;
            println!("{email} is now {role}. Tokens say so after the next refresh.");
        }
        Command::SetTier { email, tier } => {
            let pool = start::open_database(&config).await?;
            let mut tx = pool.begin().await?;
            heimdex_db::users::set_tier(&mut tx, &email, tier, &By::command())
                .await
                .with_context(|| format!("no single account has the address {email}"))?;
            tx.commit().await?;
            println!("{email} has now the tier {tier}.");
        }
    }
    Ok(())
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let bind = async |name: &str, address| {
        TcpListener::bind(address).await.with_context(|| {
            format!("{name}: cannot listen on {address}; is another process there? Set {name} to choose another")
        })
    };
    let listeners = Listeners {
        api: bind("HEIMDEX_API_BIND", config.bind).await?,
        metrics: bind("HEIMDEX_METRICS_BIND", config.metrics_bind).await?,
    };
    let shutdown = CancellationToken::new();
    tokio::spawn(stop_on_signal(shutdown.clone()));
    start::run(config, listeners, shutdown).await?;
    Ok(())
}

async fn stop_on_signal(shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "cannot listen for SIGTERM");
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
        }
    }
    tracing::info!("stopping");
    shutdown.cancel();
}
