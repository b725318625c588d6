//! What the auth server does by itself: hearing of new keys, clearing away what is over.

use std::{sync::Arc, time::Duration};

use heimdex_db::{auth_keys::Changes, auth_rate_limits, auth_sessions};
use tokio_util::sync::CancellationToken;

use super::AuthServer;

const SWEEP: Duration = Duration::from_secs(600);
/// Also without a message, in case one got lost.
const KEYS: Duration = Duration::from_secs(60);
const SESSIONS_AT_ONCE: i64 = 1000;

/// Goes on until told to stop.
pub fn start(server: Arc<AuthServer>, stopping: CancellationToken) {
    tokio::spawn(async move {
        tokio::select! {
            () = sweep(&server) => {}
            () = hear_of_keys(&server) => {}
            () = stopping.cancelled() => {}
        }
    });
}

async fn sweep(server: &AuthServer) {
    let mut round = tokio::time::interval(SWEEP);
    loop {
        round.tick().await;
        let swept = async {
            auth_sessions::sweep(&server.pool, server.settings.sessions, SESSIONS_AT_ONCE).await?;
            let mut connection = server.pool.acquire().await?;
            auth_rate_limits::sweep(&mut connection).await
        };
        if let Err(error) = swept.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not clear away what is over");
        }
    }
}

async fn hear_of_keys(server: &AuthServer) {
    loop {
        match Changes::listen(&server.pool).await {
            Ok(mut changes) => loop {
                reload(server).await;
                if let Ok(Err(error)) = tokio::time::timeout(KEYS, changes.next()).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "lost the key listener; making it again");
                    break;
                }
            },
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot listen for keys"),
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

async fn reload(server: &AuthServer) {
    if let Err(error) = server.keys.reload().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "could not read the signing keys again");
    }
}
