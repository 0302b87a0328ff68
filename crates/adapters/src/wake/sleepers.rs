//! The sleepers, by the topic that they wait for.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use kernel::ports::Topic;
use tokio::sync::Notify;

/// The sleepers of each topic. Each has a [`Notify`] of its own, so that one hint reaches all who
/// wait for a topic, and those about to wait.
#[derive(Default)]
pub(super) struct Sleepers {
    by_topic: HashMap<Topic, Vec<Weak<Notify>>>,
    /// The number of topics after the latest sweep.
    swept: usize,
}

impl Sleepers {
    /// Adds a sleeper.
    pub(super) fn register(&mut self, topic: Topic) -> Arc<Notify> {
        let sleeper = Arc::new(Notify::new());
        let sleepers = self.by_topic.entry(topic).or_default();
        sleepers.retain(is_held);
        sleepers.push(Arc::downgrade(&sleeper));
        // Topics that nobody waits for any more never outnumber the others by much, and sweeping
        // costs each registration a constant.
        if self.by_topic.len() > 64 + 2 * self.swept {
            self.by_topic.retain(|_, sleepers| sleepers.iter().any(is_held));
            self.swept = self.by_topic.len();
        }
        sleeper
    }

    /// Wakes the sleepers of `topic`.
    pub(super) fn notify(&mut self, topic: Topic) {
        let sleepers = self.by_topic.get(&topic).into_iter().flatten();
        sleepers.filter_map(Weak::upgrade).for_each(|sleeper| sleeper.notify_one());
    }

    /// Wakes every sleeper.
    pub(super) fn notify_all(&mut self) {
        let sleepers = self.by_topic.values().flatten();
        sleepers.filter_map(Weak::upgrade).for_each(|sleeper| sleeper.notify_one());
    }
}

fn is_held(sleeper: &Weak<Notify>) -> bool {
    sleeper.strong_count() > 0
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use kernel::{Clock, Ids};

    use super::*;

    #[test]
    fn sleepers_that_have_left_are_forgotten() {
        let ids = Ids::new(Clock::system());
        let mut sleepers = Sleepers::default();
        let kept = sleepers.register(Topic::Jobs);
        for _ in 0..10_000 {
            sleepers.register(Topic::Inbox(ids.next()));
        }
        assert!(sleepers.by_topic.len() < 200);
        sleepers.notify(Topic::Jobs);
        assert!(kept.notified().now_or_never().is_some());
    }
}
