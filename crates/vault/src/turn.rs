//! Taking turns at a log, for what is sealed past the queue: decisions, expiries, erasures, the outbox.
//!
//! Whoever waits for the lock of a log's head holds a connection meanwhile, for as long as Postgres lets a statement wait. So of one replica one of them at a
//! time waits there for each log. The others wait here, where it costs nothing, and neither many nor long: a log whose head is held takes no
//! connections away from other projects.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

use kernel::{
    error::{Code, Error, Result},
    ids::ProjectId,
};

/// How many may wait for one log.
const MOST_WAITING: usize = 32;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who waits for which log. Cloning shares it.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<ProjectId, Line>>>);

/// The line of one log. One that nobody stands in is not there.
#[derive(Default)]
struct Line {
    queue: Arc<Queue<()>>,
    /// How many wait, or have their turn.
    standing: usize,
}

/// The right to wait for the lock of a log's head; until it is dropped.
pub(super) struct Turn {
    _first: OwnedMutexGuard<()>,
    _place: Place,
}

/// A place in a line.
struct Place {
    turns: Turns,
    project: ProjectId,
}

impl Turns {
    /// Waits for a turn at the project's log. To be taken before the transaction begins.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait already, or it takes too long.
    pub(super) async fn take(&self, project: ProjectId) -> Result<Turn> {
        let (queue, place) = self.stand(project)?;
        let first = tokio::time::timeout(PATIENCE, queue.lock_owned()).await.map_err(|_| busy())?;
        Ok(Turn { _first: first, _place: place })
    }

    fn stand(&self, project: ProjectId) -> Result<(Arc<Queue<()>>, Place)> {
        let mut lines = self.lines();
        let line = lines.entry(project).or_default();
        if line.standing > MOST_WAITING {
            return Err(busy());
        }
        line.standing += 1;
        Ok((Arc::clone(&line.queue), Place { turns: self.clone(), project }))
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<ProjectId, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.turns.lines();
        if let Some(line) = lines.get_mut(&self.project) {
            line.standing -= 1;
            if line.standing == 0 {
                lines.remove(&self.project);
            }
        }
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Turns({} lines)", self.lines().len())
    }
}

fn busy() -> Error {
    let detail = "The project's log is busy, or somebody holds it up; try again in a moment";
    Error::new(Code::Overloaded, detail).retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_not_too_many_and_each_log_by_itself() {
        let turns = Turns::default();
        let [ours, theirs] = [1, 2].map(|n| ProjectId::from(Uuid::from_u128(n)));
        let first = turns.take(ours).await.unwrap();
        let waiting: Vec<_> = (0..MOST_WAITING).map(|_| turns.stand(ours).unwrap()).collect();
        let late = turns.take(ours).await.err().unwrap();
        assert_eq!((late.code(), late.wait()), (Code::Overloaded, Some(Duration::from_secs(1))));
        drop(turns.take(theirs).await.unwrap());
        assert_eq!(format!("{turns:?}"), "Turns(1 lines)");

        // Whoever gives up leaves the line.
        drop(waiting);
        let next = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(ours).await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!next.is_finished());
        drop(first);
        next.await.unwrap().unwrap();
        assert_eq!(format!("{turns:?}"), "Turns(0 lines)");
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        let turns = Turns::default();
        let project = ProjectId::from(Uuid::from_u128(1));
        let first = turns.take(project).await.unwrap();
        assert_eq!(turns.take(project).await.err().unwrap().code(), Code::Overloaded);
        drop(first);
        turns.take(project).await.unwrap();
    }
}
