//! When to try again.

use std::time::Duration;

use rand::RngExt;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(300);

/// Exponential with full jitter between half and the whole of `2 s · 4^(attempt − 1)`, at most five minutes.
/// `attempt` counts from 1.
pub(super) fn retry_delay(attempt: i32) -> Duration {
    let exponent = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(10);
    let whole = FIRST.saturating_mul(4_u32.saturating_pow(exponent)).min(LONGEST);
    whole.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_and_end() {
        assert!(retry_delay(1) <= FIRST);
        assert!(retry_delay(2) >= Duration::from_secs(4));
        assert!(retry_delay(i32::MAX) <= LONGEST);
    }
}
