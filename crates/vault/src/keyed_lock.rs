//! A lock for each log within this process, for seals outside the batches: decisions, expiries,
//! erasures, the outbox, the meta-log.
//!
//! Waiting for the lock of a log's head in Postgres takes a connection, for as long as a statement
//! may last. So one caller of each replica waits there for each log. The others wait here, without
//! a connection, in limited number and for a limited time: a log whose head is locked takes no
//! connections from other projects.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kernel::{
    error::{Code, Error, Result},
    ids::ProjectId,
};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The most callers that may wait for one log.
const MAX_WAITING: usize = 32;
/// The longest that they wait.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Locks by project. Cloning shares them.
#[derive(Clone, Default)]
pub(crate) struct KeyedLock(Arc<Mutex<HashMap<ProjectId, WaitQueue>>>);

/// The lock of one project, and the callers that want it. An empty queue is removed.
#[derive(Default)]
struct WaitQueue {
    lock: Arc<AsyncMutex<()>>,
    /// The number of callers that wait, or hold the lock.
    tickets: usize,
}

/// Holds the lock of a project until it is dropped.
pub(crate) struct KeyedLockGuard {
    _lock: OwnedMutexGuard<()>,
    _ticket: Ticket,
}

/// A place in a queue.
struct Ticket {
    locks: KeyedLock,
    project: ProjectId,
}

impl KeyedLock {
    /// Waits for the project's lock. To be called before the transaction begins.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait already, or it takes too long.
    pub(crate) async fn lock(&self, project: ProjectId) -> Result<KeyedLockGuard> {
        let (lock, ticket) = self.enter(project)?;
        let locked = tokio::time::timeout(WAIT_TIMEOUT, lock.lock_owned()).await.map_err(|_| busy())?;
        Ok(KeyedLockGuard { _lock: locked, _ticket: ticket })
    }

    fn enter(&self, project: ProjectId) -> Result<(Arc<AsyncMutex<()>>, Ticket)> {
        let mut queues = self.queues();
        let queue = queues.entry(project).or_default();
        if queue.tickets > MAX_WAITING {
            return Err(busy());
        }
        queue.tickets += 1;
        Ok((Arc::clone(&queue.lock), Ticket { locks: self.clone(), project }))
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<ProjectId, WaitQueue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut queues = self.locks.queues();
        if let Some(queue) = queues.get_mut(&self.project) {
            queue.tickets -= 1;
            if queue.tickets == 0 {
                queues.remove(&self.project);
            }
        }
    }
}

impl fmt::Debug for KeyedLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedLock({} queues)", self.queues().len())
    }
}

fn busy() -> Error {
    let detail = "The project's log is busy; try again in a moment";
    Error::new(Code::Overloaded, detail).retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_not_too_many_and_each_log_by_itself() {
        let locks = KeyedLock::default();
        let [ours, theirs] = [1, 2].map(|n| ProjectId::from(Uuid::from_u128(n)));
        let first = locks.lock(ours).await.unwrap();
        let waiting: Vec<_> = (0..MAX_WAITING).map(|_| locks.enter(ours).unwrap()).collect();
        let late = locks.lock(ours).await.err().unwrap();
        assert_eq!((late.code(), late.wait()), (Code::Overloaded, Some(Duration::from_secs(1))));
        drop(locks.lock(theirs).await.unwrap());
        assert_eq!(format!("{locks:?}"), "KeyedLock(1 queues)");

        // A caller that stops waiting leaves the queue.
        drop(waiting);
        let next = tokio::spawn({
            let locks = locks.clone();
            async move { locks.lock(ours).await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!next.is_finished());
        drop(first);
        next.await.unwrap().unwrap();
        assert_eq!(format!("{locks:?}"), "KeyedLock(0 queues)");
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        let locks = KeyedLock::default();
        let project = ProjectId::from(Uuid::from_u128(1));
        let first = locks.lock(project).await.unwrap();
        assert_eq!(locks.lock(project).await.err().unwrap().code(), Code::Overloaded);
        drop(first);
        locks.lock(project).await.unwrap();
    }
}
