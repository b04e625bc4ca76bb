//! Waiting for what happens at the gateway's own pace: looked at again and again, and never for ever.

use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(10);
/// Half a minute in all: far beyond what anything takes, even on a busy machine.
const LOOKS: u32 = 3_000;

/// Looks until there is something to see.
///
/// # Panics
/// If it does not come.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("waited in vain until {what}")
}
