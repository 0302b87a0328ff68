//! The hub: the hints of this process and of others, and the sleepers that wait for them.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kernel::ports::{Topic, Wake};
use tokio::sync::{Notify, mpsc};

use super::sleepers::Sleepers;

/// The most hints that wait for the relay.
pub(super) const CAPACITY: usize = 4096;

/// The place where this process' sleepers wait, and where its hints begin. Cloning shares it.
#[derive(Clone)]
pub struct WakeHub {
    sleepers: Arc<Mutex<Sleepers>>,
    hints: mpsc::Sender<Topic>,
    /// The name of this process, so that it does not heed its own hints when they come back.
    origin: Arc<str>,
}

impl WakeHub {
    /// Creates a hub, and the queue that its relay reads.
    pub(crate) fn new(origin: String) -> (Self, mpsc::Receiver<Topic>) {
        let (hints, queue) = mpsc::channel(CAPACITY);
        (Self { sleepers: Arc::default(), hints, origin: origin.into() }, queue)
    }

    /// Notifies of what another process sent: its name, then a topic on each line.
    pub(crate) fn on_message(&self, payload: &str) {
        let mut lines = payload.lines();
        if lines.next() == Some(&*self.origin) {
            return;
        }
        let mut sleepers = self.lock();
        lines.filter_map(|line| line.parse().ok()).for_each(|topic| sleepers.notify(topic));
    }

    /// Notifies every sleeper: hints may have been missed.
    pub(crate) fn notify_all(&self) {
        self.lock().notify_all();
    }

    /// Returns the name of this process.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    fn lock(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for WakeHub {
    fn notify(&self, topic: Topic) {
        self.lock().notify(topic);
        if self.hints.try_send(topic).is_err() {
            metrics::counter!("holdfast_wake_dropped_total").increment(1);
        }
    }

    fn subscribe(&self, topic: Topic) -> Arc<Notify> {
        self.lock().register(topic)
    }
}

impl fmt::Debug for WakeHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WakeHub({})", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use kernel::{Clock, Ids};

    use super::*;

    fn woken(sleeper: &Notify) -> bool {
        sleeper.notified().now_or_never().is_some()
    }

    fn inbox(ids: &Ids) -> Topic {
        Topic::Inbox(ids.next())
    }

    #[tokio::test]
    async fn a_hint_wakes_every_sleeper_of_its_topic_here_and_no_other() {
        let ids = Ids::new(Clock::system());
        let (hub, _queue) = WakeHub::new("here".into());
        let topic = inbox(&ids);
        let (first, second, other) = (hub.subscribe(topic), hub.subscribe(topic), hub.subscribe(inbox(&ids)));
        hub.notify(topic);
        hub.notify(topic);
        assert!(woken(&first) && woken(&second) && !woken(&other));
        assert!(!woken(&first), "two hints before a look are one notification");
    }

    #[tokio::test]
    async fn hints_from_elsewhere_wake_and_our_own_coming_back_do_not() {
        let (hub, _queue) = WakeHub::new("here".into());
        let sleeper = hub.subscribe(Topic::Jobs);
        hub.on_message("here\njobs");
        assert!(!woken(&sleeper));
        hub.on_message("there\ninbox.nonsense\njobs");
        assert!(woken(&sleeper));
        hub.notify_all();
        assert!(woken(&sleeper));
    }

    #[test]
    fn a_full_channel_drops_hints_and_never_blocks() {
        let (hub, _queue) = WakeHub::new("here".into());
        for _ in 0..2 * CAPACITY {
            hub.notify(Topic::Jobs);
        }
    }
}
