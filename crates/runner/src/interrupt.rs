//! [`Interrupt`]: how a run is asked to stop before its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Asks a run to stop: what is finished counts, what is being played is left, nothing new begins.
///
/// Clones are the same interrupt. It is raised once and for good, from any thread.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    raised: AtomicBool,
    notify: Notify,
}

impl Interrupt {
    /// An interrupt that nobody has raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop.
    pub fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
    }

    /// Whether the run has been asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Waits until the run is asked to stop. Cancel-safe.
    pub async fn raised(&self) {
        let notified = self.0.notify.notified();
        if !self.is_raised() {
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_noticed_before_and_after_it_is_raised() {
        let interrupt = Interrupt::new();
        let waiting = tokio::spawn({
            let interrupt = interrupt.clone();
            async move { interrupt.raised().await }
        });
        tokio::task::yield_now().await;
        assert!(!interrupt.is_raised());
        interrupt.raise();
        waiting.await.unwrap();
        interrupt.raised().await;
        assert!(interrupt.is_raised());
    }
}
