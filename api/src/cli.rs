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
    /// Show the newest mails (embedded auth server; those that SMTP has taken are empty)
    Outbox {
        /// How many
        #[arg(long, default_value_t = 10)]
        newest: u32,
    },
    /// Turn the signing keys of the embedded auth server
    Keys {
        #[command(subcommand)]
        command: Keys,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Every key and its state: standby, in_use, previous, revoked
    List,
    /// Make a key that is published but does not sign yet; wait 20 minutes before you rotate
    Standby,
    /// Sign with the standby key from now on; the present one stays trusted
    Rotate {
        /// Make one if there is none, and do not wait until everybody can know it
        #[arg(long)]
        now: bool,
    },
    /// Trust a standby or previous key no more
    Revoke {
        kid: String,
        /// Although tokens signed with it may be in use: their holders have to refresh
        #[arg(long)]
        now: bool,
    },
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
        Command::Outbox { newest } => {
            let pool = start::open_database(&config).await?;
            let mails = heimdex_db::mail::newest(&pool, newest.into()).await?;
            for mail in mails.iter().rev() {
                let sent = mail.sent_at.map_or_else(String::new, |at| format!(", sent {at}"));
                println!(
                    "To: {}\nDate: {}{sent}\nSubject: {}\n\n{}",
                    mail.recipient, mail.created_at, mail.subject, mail.body
                );
            }
            println!("{} mails", mails.len());
        }
        Command::Keys { command } => keys(&config, command).await?,
    }
    Ok(())
}

async fn keys(config: &Config, command: Keys) -> anyhow::Result<()> {
    if !config.auth.is_embedded() {
        bail!("SUPABASE_URL is set: keys are turned there");
    }
    let pool = start::open_database(config).await?;
    let server = start::embedded(config, &pool).await?;
    let by = By::command();
    match command {
        Keys::List => {
            for key in server.keys.list().await? {
                println!("{:<36}  {:<8}  since {}", key.kid, key.state, key.changed_at.format("%F %T UTC"));
            }
        }
        Keys::Standby => {
            println!(
                "{} is published and does not sign yet. Rotate in 20 minutes.",
                server.keys.make_standby(&by).await?
            );
        }
        Keys::Rotate { now } => {
            let kid = server.keys.rotate(now, &by).await?;
            println!("{kid} signs from now on. The one before it stays trusted until you revoke it.");
        }
        Keys::Revoke { kid, now } => {
            let ttl = chrono::TimeDelta::seconds(server.settings.access_token_s);
            server.keys.revoke(&kid, ttl, now, &by).await?;
            println!("{kid} is trusted no more.");
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
