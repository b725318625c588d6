//! The commands of `heimdex-api`.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use heimdex_db::{
    DbError, PgConnection, UserId, UserTier,
    audit::By,
    role_profiles::{self, RoleType},
    users,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    auth_server::signup,
    config::Config,
    openapi,
    start::{self, Listeners},
    supabase::{self, admin_api::AdminApi},
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
    Grant { email: String, role: RoleType },
    /// Take it back. The last admin stays one, unless --even-the-last is said
    Revoke {
        email: String,
        role: RoleType,
        #[arg(long)]
        even_the_last: bool,
    },
    /// Bring everybody up to date with the Supabase project, by its admin API (SUPABASE_SECRET_KEY)
    SyncUsers {
        /// Remove accounts that the project no longer has even if they are many
        #[arg(long)]
        remove_many: bool,
        /// Give up after so many seconds
        #[arg(long, default_value_t = 1800)]
        deadline_s: u64,
    },
    /// Set a person's limits: free, pro or enterprise
    SetTier { email: String, tier: UserTier },
    /// Show the newest mails (embedded auth server; those that SMTP has taken are empty)
    Outbox {
        /// How many
        #[arg(long, default_value_t = 10)]
        newest: u32,
    },
    /// What this program starts to read a picture: one request on stdin, in a sandbox
    #[command(hide = true)]
    MediaChild,
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

impl Cli {
    /// It has to be answered before any thread is started.
    pub fn is_media_child(&self) -> bool {
        matches!(self.command, Some(Command::MediaChild))
    }
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
        Command::MediaChild => bail!("media-child is answered before the runtime is started"),
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
            let user = named(&mut connection, &email).await?;
            users::set_tier(&mut connection, user, UserTier::Enterprise, &By::command()).await?;
            println!("{email}: {}", if made { "made" } else { "exists" });
        }
        Command::Grant { email, role } => {
            let pool = start::open_database(&config).await?;
            let mut tx = pool.begin().await?;
            let user = named(&mut tx, &email).await?;
            let new = role_profiles::grant(&mut tx, user, role, None, &By::command()).await?;
            tx.commit().await?;
            let already = if new { "now" } else { "already" };
            println!("{email} is {already} {}. Tokens say so after the next refresh.", role.as_str());
        }
        Command::Revoke { email, role, even_the_last } => {
            let pool = start::open_database(&config).await?;
            let mut tx = pool.begin().await?;
            let user = named(&mut tx, &email).await?;
            let by = By::command();
            let done = if even_the_last {
                role_profiles::revoke_even_the_last(&mut tx, user, role, &by).await
            } else {
                role_profiles::revoke(&mut tx, user, role, &by).await
            };
            let was = match done {
                Err(DbError::Conflict("last_admin")) => {
                    bail!("{email} is the last admin; grant admin to somebody else first, or say --even-the-last")
                }
                other => other?,
            };
            tx.commit().await?;
            println!("{email} is {} {}.", if was { "no longer" } else { "not" }, role.as_str());
        }
        Command::SyncUsers { remove_many, deadline_s } => sync_users(&config, remove_many, deadline_s).await?,
        Command::SetTier { email, tier } => {
            let pool = start::open_database(&config).await?;
            let mut tx = pool.begin().await?;
            let user = named(&mut tx, &email).await?;
            users::set_tier(&mut tx, user, tier, &By::command()).await?;
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

async fn named(db: &mut PgConnection, email: &str) -> anyhow::Result<UserId> {
    role_profiles::only_by_email(db, email).await.with_context(|| format!("no single account has the address {email}"))
}

async fn sync_users(config: &Config, remove_many: bool, deadline_s: u64) -> anyhow::Result<()> {
    let Some(project) = &config.auth.supabase_url else {
        bail!("SUPABASE_URL is not set: the accounts are here already");
    };
    let key = config.auth.secret_key.clone().context("SUPABASE_SECRET_KEY is not set")?;
    let users = start::auth_call(project, "admin/users").context("SUPABASE_URL is wrong")?;
    let api = AdminApi::new(users, key, Duration::from_millis(500))?;
    let pool = start::open_database(config).await?;
    let work = supabase::sync::run(&pool, &api, remove_many);
    let report = tokio::time::timeout(Duration::from_secs(deadline_s), work).await.with_context(|| {
        format!("it took longer than {deadline_s} s; what was done stays, say --deadline-s for more")
    })??;
    println!(
        "{} users in the project: {} up to date, {} anonymous ignored; {} accounts deleted here.",
        report.seen, report.kept, report.ignored, report.buried
    );
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
