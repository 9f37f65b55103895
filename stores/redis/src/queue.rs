//! Commits that have to try again take turns, so that 1,000 closures over one value take about 1,000
//! turns and not a million.
//!
//! The application's closure runs during a turn, and may take long, or wait for a commit to the
//! same session. So a turn guards nothing and is never needed: whoever is next waits only a moment
//! for the one whose turn it is, and goes on without.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// How long a commit stays in the queue.
const QUEUE: Duration = Duration::from_millis(500);
/// How long the next one waits for a turn to end: longer than a short closure and a round to the
/// server take.
const TURN: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(crate) struct Queue {
    /// Held by the one who is next.
    next: Mutex<()>,
    turn: Mutex<()>,
}

/// While it is there others wait, for a moment.
pub(crate) struct Turn<'a>(#[expect(dead_code, reason = "held")] MutexGuard<'a, ()>);

impl Queue {
    /// Waits for a turn, or for long enough.
    pub(crate) async fn turn(&self) -> Option<Turn<'_>> {
        let waiting = async {
            let _next = self.next.lock().await;
            timeout(TURN, self.turn.lock()).await.ok().map(Turn)
        };
        timeout(QUEUE, waiting).await.ok().flatten()
    }
}
