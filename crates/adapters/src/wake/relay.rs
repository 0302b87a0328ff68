//! The relay: takes hints to the other processes.

use std::{collections::HashSet, time::Duration};

use kernel::{Db, ports::Topic};
use sqlx::Executor;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::hub::{CAPACITY, WakeHub};
use crate::{guard::Guarded, listen::CHANNEL, nats::Nats};

/// The least time between two rounds of the relay. It bounds what the relay costs, and lets a burst
/// become one message.
const PAUSE: Duration = Duration::from_millis(5);
/// The most bytes of a payload; Postgres takes 7,999.
const MAX_PAYLOAD: usize = 7_900;
/// The limit of a relay's `NOTIFY`, a connection included.
const NOTIFY_LIMIT: Duration = Duration::from_secs(1);

/// Sends hints to the other processes.
pub(crate) struct Relay {
    pub(crate) hub: WakeHub,
    pub(crate) queue: mpsc::Receiver<Topic>,
    pub(crate) nats: Guarded<Nats>,
    pub(crate) db: Db,
}

impl Relay {
    /// Sends hints until `stop`, and then those that still wait.
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
                self.send(payloads(self.hub.origin(), topics)).await;
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

/// Notifies by one statement, so by one commit, for all of them.
async fn notify(db: &Db, payloads: &[String]) -> sqlx::Result<()> {
    let query = sqlx::query("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload");
    db.pool().execute(query.bind(CHANNEL).bind(payloads)).await?;
    Ok(())
}

/// Returns the fewest messages that fit, each beginning with `origin`.
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
    use kernel::{Clock, Ids};

    use super::*;

    #[test]
    fn payloads_are_split_to_fit_a_notification_and_lose_nothing() {
        let ids = Ids::new(Clock::system());
        let topics: HashSet<Topic> = (0..1000).map(|_| Topic::Inbox(ids.next())).collect();
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
