//! A request that waits until a test lets it go on.
use std::sync::Arc;

use tokio::sync::watch;

use super::server::Recorded;

/// Keeps the first request of a kind from the servers, with the run of `gcloud` that makes
/// it, while others go on.
#[derive(Clone, Debug)]
pub struct Hold {
    command: &'static str,
    method: &'static str,
    piece: &'static str,
    stage: Arc<watch::Sender<Stage>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Awaited,
    Held,
    Released,
}

impl Hold {
    /// Of the first request by this command (`gcloud.run.services.describe`) that has this
    /// method and this in its path.
    pub fn first(command: &'static str, method: &'static str, piece: &'static str) -> Hold {
        Hold {
            command,
            method,
            piece,
            stage: Arc::new(watch::Sender::new(Stage::Awaited)),
        }
    }

    /// Waits until there is such a request.
    pub async fn held(&self) {
        self.wait_for(Stage::Held).await;
    }

    /// Lets it go on.
    pub fn release(&self) {
        self.stage.send_replace(Stage::Released);
    }

    /// Whether it takes this request. It takes one.
    pub(super) fn takes(&self, request: &Recorded) -> bool {
        let is_meant = request.command.as_deref() == Some(self.command)
            && request.method == self.method
            && request.target.contains(self.piece);
        is_meant
            && self.stage.send_if_modified(|stage| {
                let is_first = *stage == Stage::Awaited;
                if is_first {
                    *stage = Stage::Held;
                }
                is_first
            })
    }

    pub(super) async fn released(&self) {
        self.wait_for(Stage::Released).await;
    }

    async fn wait_for(&self, wanted: Stage) {
        // The sender lives as long as this.
        let _ = self
            .stage
            .subscribe()
            .wait_for(|stage| *stage >= wanted)
            .await;
    }
}
