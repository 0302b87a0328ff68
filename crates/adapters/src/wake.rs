//! Wake-ups between processes: hints that a sleeper may find something when it looks.
//!
//! A hint rings the bells of its own process at once and goes into a bounded channel; when that is
//! full it is dropped. A relay takes what has gathered, sends each topic once — through NATS when
//! that is up, otherwise by *one* `NOTIFY` for them all, since each takes a lock of the whole
//! server when it commits — and pauses a few milliseconds. Every process listens to both. A lost
//! hint costs a sleeper its polling interval.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use kernel::{
    Db,
    ports::{Topic, Wake},
};
use sqlx::Executor;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::{guard::Guarded, listen::CHANNEL, nats::Nats};

/// Hints that wait for the relay.
const CAPACITY: usize = 4096;
/// The least time between two rounds of the relay: bounds what it costs, and lets a burst become
/// one message.
const PAUSE: Duration = Duration::from_millis(5);
/// What a `NOTIFY` may carry is 7,999 bytes.
const MAX_PAYLOAD: usize = 7_900;
/// What a relay's `NOTIFY` may take, a connection included.
const NOTIFY_LIMIT: Duration = Duration::from_secs(1);

/// Where this process' sleepers wait, and where its hints begin. Cloning shares it.
#[derive(Clone)]
pub struct WakeHub {
    bells: Arc<Mutex<Bells>>,
    hints: mpsc::Sender<Topic>,
    /// Names this process, so that it does not heed its own hints when they come back.
    origin: Arc<str>,
}

impl WakeHub {
    /// A hub, and what its relay will read.
    pub(crate) fn new(origin: String) -> (Self, mpsc::Receiver<Topic>) {
        let (hints, queue) = mpsc::channel(CAPACITY);
        (Self { bells: Arc::default(), hints, origin: origin.into() }, queue)
    }

    /// Rings for what another process sent: its name, then a topic on each line.
    pub(crate) fn heard(&self, payload: &str) {
        let mut lines = payload.lines();
        if lines.next() == Some(&*self.origin) {
            return;
        }
        let mut bells = self.lock();
        lines.filter_map(|line| line.parse().ok()).for_each(|topic| bells.ring(topic));
    }

    /// Rings every bell: hints may have been missed.
    pub(crate) fn ring_all(&self) {
        self.lock().ring_all();
    }

    fn lock(&self) -> MutexGuard<'_, Bells> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for WakeHub {
    fn notify(&self, topic: Topic) {
        self.lock().ring(topic);
        if self.hints.try_send(topic).is_err() {
            metrics::counter!("holdfast_wake_dropped_total").increment(1);
        }
    }

    fn subscribe(&self, topic: Topic) -> Arc<Notify> {
        self.lock().hang(topic)
    }
}

impl fmt::Debug for WakeHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WakeHub({})", self.origin)
    }
}

/// Each sleeper has a bell of its own, so that one ring reaches all who wait for a topic, and those
/// about to wait.
#[derive(Default)]
struct Bells {
    by_topic: HashMap<Topic, Vec<Weak<Notify>>>,
    /// Topics there were after the latest sweep.
    swept: usize,
}

impl Bells {
    fn hang(&mut self, topic: Topic) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        let bells = self.by_topic.entry(topic).or_default();
        bells.retain(is_held);
        bells.push(Arc::downgrade(&bell));
        // Topics nobody waits for any more never outnumber the others by much, and sweeping costs
        // each hanging a constant.
        if self.by_topic.len() > 64 + 2 * self.swept {
            self.by_topic.retain(|_, bells| bells.iter().any(is_held));
            self.swept = self.by_topic.len();
        }
        bell
    }

    fn ring(&mut self, topic: Topic) {
        let bells = self.by_topic.get(&topic).into_iter().flatten();
        bells.filter_map(Weak::upgrade).for_each(|bell| bell.notify_one());
    }

    fn ring_all(&mut self) {
        let bells = self.by_topic.values().flatten();
        bells.filter_map(Weak::upgrade).for_each(|bell| bell.notify_one());
    }
}

fn is_held(bell: &Weak<Notify>) -> bool {
    bell.strong_count() > 0
}

/// Sends hints to the other processes.
pub(crate) struct Relay {
    pub(crate) hub: WakeHub,
    pub(crate) queue: mpsc::Receiver<Topic>,
    pub(crate) nats: Guarded<Nats>,
    pub(crate) db: Db,
}

impl Relay {
    /// Until `stop`; then sends what still waits.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut gathered = Vec::new();
        loop {
            let stopping =
                stop.run_until_cancelled(self.queue.recv_many(&mut gathered, CAPACITY)).await.is_none();
            if stopping {
                self.queue.close();
                self.queue.recv_many(&mut gathered, CAPACITY).await;
            }
            let topics: HashSet<Topic> = gathered.drain(..).collect();
            if !topics.is_empty() {
                self.send(payloads(&self.hub.origin, topics)).await;
            }
            if stopping {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn send(&self, payloads: Vec<String>) {
        let by_nats = self.nats.call(|nats| nats.publish(payloads.clone())).await.is_some();
        if by_nats {
            return;
        }
        match tokio::time::timeout(NOTIFY_LIMIT, notify(&self.db, &payloads)).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => tracing::debug!(%reason, "hints lost: Postgres is away"),
            Err(_) => tracing::debug!("hints lost: Postgres did not take them in time"),
        }
    }
}

/// One statement, so one commit, for all of them.
async fn notify(db: &Db, payloads: &[String]) -> sqlx::Result<()> {
    let query = sqlx::query("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload");
    db.pool().execute(query.bind(CHANNEL).bind(payloads)).await?;
    Ok(())
}

/// The fewest messages that fit, each beginning with `origin`.
fn payloads(origin: &str, topics: impl IntoIterator<Item = Topic>) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut current = origin.to_owned();
    for topic in topics {
        let line = format!("\n{topic}");
        if current.len() + line.len() > MAX_PAYLOAD {
            payloads.push(std::mem::replace(&mut current, origin.to_owned()));
        }
        current.push_str(&line);
    }
    payloads.push(current);
    payloads
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use kernel::{Clock, Ids};

    use super::*;

    fn rang(bell: &Notify) -> bool {
        bell.notified().now_or_never().is_some()
    }

    fn inbox(ids: &Ids) -> Topic {
        Topic::Inbox(ids.next())
    }

    #[tokio::test]
    async fn a_hint_rings_every_bell_of_its_topic_here_and_no_other() {
        let ids = Ids::new(Clock::system());
        let (hub, _queue) = WakeHub::new("here".into());
        let topic = inbox(&ids);
        let (first, second, other) = (hub.subscribe(topic), hub.subscribe(topic), hub.subscribe(inbox(&ids)));
        hub.notify(topic);
        hub.notify(topic);
        assert!(rang(&first) && rang(&second) && !rang(&other));
        assert!(!rang(&first), "two hints before a look are one ring");
    }

    #[tokio::test]
    async fn hints_from_elsewhere_ring_and_our_own_coming_back_do_not() {
        let (hub, _queue) = WakeHub::new("here".into());
        let bell = hub.subscribe(Topic::Jobs);
        hub.heard("here\njobs");
        assert!(!rang(&bell));
        hub.heard("there\ninbox.nonsense\njobs");
        assert!(rang(&bell));
        hub.ring_all();
        assert!(rang(&bell));
    }

    #[test]
    fn a_full_channel_drops_hints_and_never_blocks() {
        let (hub, _queue) = WakeHub::new("here".into());
        for _ in 0..2 * CAPACITY {
            hub.notify(Topic::Jobs);
        }
    }

    #[test]
    fn bells_that_nobody_holds_are_forgotten() {
        let ids = Ids::new(Clock::system());
        let (hub, _queue) = WakeHub::new("here".into());
        let kept = hub.subscribe(Topic::Jobs);
        for _ in 0..10_000 {
            hub.subscribe(inbox(&ids));
        }
        assert!(hub.lock().by_topic.len() < 200);
        hub.notify(Topic::Jobs);
        assert!(kept.notified().now_or_never().is_some());
    }

    #[test]
    fn payloads_are_split_to_fit_a_notification_and_lose_nothing() {
        let ids = Ids::new(Clock::system());
        let topics: HashSet<Topic> = (0..1000).map(|_| inbox(&ids)).collect();
        let payloads = payloads("here", topics.iter().copied());
        assert!(payloads.len() > 1);
        assert!(payloads.iter().all(|payload| payload.len() < 8000 && payload.starts_with("here\n")));
        let heard: HashSet<Topic> = payloads
            .iter()
            .flat_map(|payload| payload.lines().skip(1))
            .filter_map(|line| line.parse().ok())
            .collect();
        assert_eq!(heard, topics);
    }
}
