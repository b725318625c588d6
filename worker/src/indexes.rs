//! Looks after the indexes of vectors, beside everything else: to build one takes minutes where a library is very large.

use std::time::Duration;

use heimdex_db::{PgPool, vector_indexes};
use tokio::time::{MissedTickBehavior, interval};

/// A library that has become large meanwhile is compared vector by vector, which is slower and misses nothing.
const ROUND: Duration = Duration::from_secs(300);

/// For ever.
pub async fn tend(db: PgPool) {
    let mut round = interval(ROUND);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        round.tick().await;
        match vector_indexes::tend(&db).await {
            Ok(tended) if tended == vector_indexes::Tended::default() => {}
            Ok(tended) => tracing::info!(built = tended.built, dropped = tended.dropped, "indexes of vectors"),
            Err(error) => tracing::warn!(%error, "indexes of vectors"),
        }
    }
}
