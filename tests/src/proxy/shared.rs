//! What the two directions of a connection share.
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::conversation::Conversation;

/// The conversation, which each direction follows for the other.
#[derive(Default)]
pub(super) struct Shared {
    conversation: Mutex<Conversation>,
    answered: Notify,
}

impl Shared {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Conversation) -> T) -> T {
        let held = self.conversation.lock();
        act(&mut held.unwrap_or_else(PoisonError::into_inner))
    }

    /// Says that the server has said something.
    pub(super) fn notify(&self) {
        self.answered.notify_one();
    }

    pub(super) async fn wait_for_answers(&self) {
        while !self.with(|talk| talk.is_all_answered()) {
            self.answered.notified().await;
        }
    }
}
