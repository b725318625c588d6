//! Not all at once: a search asks seven channels, and each of them a connection.

use std::future::Future;

use futures::future::join_all;
use tokio::sync::Semaphore;

/// Connections of one search.
pub(super) const CONNECTIONS: usize = 4;

/// What the futures answer, in their order, with at most `limit` of them under way.
pub(super) async fn at_most<F: Future>(limit: usize, futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let turns = &Semaphore::new(limit);
    let waiting = futures.into_iter().map(|future| async move {
        // It is never closed; without a turn the future goes on all the same.
        let _turn = turns.acquire().await;
        future.await
    });
    join_all(waiting).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::at_most;

    #[tokio::test]
    async fn so_many_are_under_way_and_no_more() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (under_way, peak) = (&now, &most);
        let work = (0..9).map(|number| async move {
            peak.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            under_way.fetch_sub(1, Ordering::SeqCst);
            number
        });
        assert_eq!(at_most(4, work).await, (0..9).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }
}
