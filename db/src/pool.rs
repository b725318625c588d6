//! Connecting to PostgreSQL.

use std::{str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// Why a pool could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("DATABASE_URL is not a PostgreSQL URL: {0}")]
    Url(#[source] sqlx::Error),
    #[error(
        "DATABASE_URL goes through a transaction pooler ({0}); LISTEN and advisory locks need a session: use the direct connection or the session pooler"
    )]
    TransactionPooler(String),
    #[error("PostgreSQL cannot be reached: {0}")]
    Connect(#[source] sqlx::Error),
}

/// A connection that was used more recently is not asked whether it lives before it is used again: that would be a round trip
/// for every statement. If it died since, its user learns of an outage, as they would a moment later.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// Opens a pool. Every connection carries a statement timeout of 60 s, so that no statement holds one for ever.
pub async fn connect(url: &SecretString, max_connections: u32) -> Result<PgPool, ConnectError> {
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(ConnectError::Url)?;
    refuse_transaction_pooler(&options)?;
    settings(max_connections)
        .connect_with(options.application_name("heimdex").options([
            ("statement_timeout", "60s"),
            ("idle_in_transaction_session_timeout", "60s"),
            ("client_min_messages", "warning"),
        ]))
        .await
        .map_err(ConnectError::Connect)
}

/// A pool beside another, to the same database, whose statements are planned once for a connection instead of each time they run. For a
/// few small statements that run all the time and whose plan is the same whatever they ask for: planning them costs more than running them.
/// It connects when first used.
pub fn planned_once(pool: &PgPool, max_connections: u32) -> PgPool {
    let options = pool.connect_options().as_ref().clone().options([("plan_cache_mode", "force_generic_plan")]);
    settings(max_connections).connect_lazy_with(options)
}

fn settings(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move { Ok(about.idle_for < ASK_AFTER || connection.ping().await.is_ok()) })
        })
}

/// Supabase's pooler (Supavisor) and PgBouncer serve transaction mode on port 6543 by convention.
fn refuse_transaction_pooler(options: &PgConnectOptions) -> Result<(), ConnectError> {
    if options.get_port() == 6543 {
        return Err(ConnectError::TransactionPooler(format!("{}:6543", options.get_host())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_pooler_is_refused_by_name() {
        let options = PgConnectOptions::from_str("postgres://u:p@pooler.example:6543/db").unwrap();
        let message = refuse_transaction_pooler(&options).unwrap_err().to_string();
        assert!(message.contains("pooler.example:6543"), "{message}");
    }
}
