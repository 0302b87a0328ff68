//! Group commit: items that arrive while a batch is under way are done together in the next one.
//!
//! Each key has a lane of its own, in which one batch runs at a time; lanes do not wait for each
//! other. A lane without work takes no memory. With one caller a batch holds one item and costs as
//! much as doing it alone; with many, they share its round trips.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::error::{Code, Error, Result};

/// Something that can be done to many items at once.
pub trait Batch: Send + Sync + 'static {
    /// The property that items done together have in common.
    type Key: Clone + Eq + Hash + Send + Sync + fmt::Debug;
    /// A request.
    type Item: Send;
    /// The answer to an item.
    type Answer: Send;

    /// The weight that one batch takes; an item that is heavier goes alone.
    const BATCH: usize;
    /// The weight that may wait in all lanes together; further callers get [`Code::Overloaded`].
    const QUEUE: usize;
    /// The time limit of a batch. Postgres bounds each of its statements, of which a large batch
    /// has a dozen and more, but not their sum: a hanging connection and a very slow Postgres both
    /// end here.
    const TIMEOUT: Duration = Duration::from_secs(20);

    /// Returns the weight of an item, at least 1.
    fn weight(_item: &Self::Item) -> usize {
        1
    }

    /// Does the items in the order in which they came, and answers each; or fails for all of them
    /// alike.
    fn run(
        &self,
        key: Self::Key,
        items: &mut Gathered<'_, Self>,
    ) -> impl Future<Output = Result<Vec<Result<Self::Answer>>>> + Send
    where
        Self: Sized;
}

/// The items of one batch, which grows while it waits for its turn.
pub struct Gathered<'a, B: Batch> {
    shared: &'a Shared<B>,
    key: &'a B::Key,
    items: Vec<B::Item>,
    askers: Vec<oneshot::Sender<Result<B::Answer>>>,
    weight: usize,
}

impl<B: Batch> Gathered<'_, B> {
    /// Returns the items of the batch.
    pub fn items(&self) -> &[B::Item] {
        &self.items
    }

    /// Adds items queued since the batch began, until it is full or the next is not `wanted`. To be
    /// called after waiting for a lock.
    pub fn more(&mut self, wanted: impl Fn(&B::Item) -> bool) {
        let came = self.shared.lanes().take(self.key, self.weight, wanted);
        self.add(came);
    }

    fn add(&mut self, came: Vec<Waiting<B>>) {
        for Waiting { item, answer } in came {
            self.weight += B::weight(&item);
            self.items.push(item);
            self.askers.push(answer);
        }
    }
}

/// Gathers items into batches. Cloning shares the lanes.
pub struct Batcher<B: Batch> {
    shared: Arc<Shared<B>>,
}

struct Shared<B: Batch> {
    work: B,
    lanes: Mutex<Lanes<B>>,
}

struct Lanes<B: Batch> {
    waiting: HashMap<B::Key, VecDeque<Waiting<B>>>,
    weight: usize,
}

struct Waiting<B: Batch> {
    item: B::Item,
    answer: oneshot::Sender<Result<B::Answer>>,
}

impl<B: Batch> Batcher<B> {
    /// Creates a batcher in which nothing waits.
    pub fn new(work: B) -> Self {
        let lanes = Mutex::new(Lanes { waiting: HashMap::new(), weight: 0 });
        Self { shared: Arc::new(Shared { work, lanes }) }
    }

    /// Does `item` together with the items that wait in the lane of `key`. It is done even when the
    /// caller stops waiting.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too much waits; [`Code::Unavailable`] when the batch hangs, and
    /// then nobody knows whether it was done; the errors of [`Batch::run`].
    pub async fn submit(&self, key: B::Key, item: B::Item) -> Result<B::Answer> {
        let (answer, answered) = oneshot::channel();
        if self.shared.lanes().enter(&key, Waiting { item, answer })? {
            tokio::spawn(Lane { shared: Arc::clone(&self.shared), key, open: true }.run());
        }
        answered.await.unwrap_or_else(|_| Err(Error::internal("a batch broke off")))
    }
}

impl<B: Batch> Clone for Batcher<B> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<B: Batch> fmt::Debug for Batcher<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lanes = self.shared.lanes();
        write!(f, "Batcher({} waiting in {} lanes)", lanes.weight, lanes.waiting.len())
    }
}

impl<B: Batch> Shared<B> {
    fn lanes(&self) -> MutexGuard<'_, Lanes<B>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Batch> Lanes<B> {
    /// Queues an item. Returns true when the lane was empty, and thus has no worker.
    fn enter(&mut self, key: &B::Key, waiting: Waiting<B>) -> Result<bool> {
        let weight = self.weight + B::weight(&waiting.item);
        if weight > B::QUEUE && self.weight > 0 {
            let detail = "More is waiting to be written than this replica takes; try again in a moment";
            return Err(Error::new(Code::Overloaded, detail).retry_after(Duration::from_secs(1)));
        }
        self.weight = weight;
        if let Some(lane) = self.waiting.get_mut(key) {
            lane.push_back(waiting);
            return Ok(false);
        }
        self.waiting.insert(key.clone(), VecDeque::from([waiting]));
        Ok(true)
    }

    /// Takes the next batch of a lane; closes a lane that is empty.
    fn next(&mut self, key: &B::Key) -> Option<Vec<Waiting<B>>> {
        let batch = self.take(key, 0, |_| true);
        if batch.is_empty() {
            self.waiting.remove(key);
            return None;
        }
        Some(batch)
    }

    /// Takes the items that fit into a batch which has `weight` already, up to the first that is
    /// not wanted.
    fn take(&mut self, key: &B::Key, weight: usize, wanted: impl Fn(&B::Item) -> bool) -> Vec<Waiting<B>> {
        let Some(lane) = self.waiting.get_mut(key) else { return Vec::new() };
        let (mut batch, mut heavier) = (Vec::with_capacity(lane.len().min(B::BATCH)), weight);
        while let Some(next) = lane.front() {
            let with = heavier + B::weight(&next.item);
            if with > B::BATCH && heavier > 0 || !wanted(&next.item) {
                break;
            }
            heavier = with;
            batch.extend(lane.pop_front());
        }
        self.weight = self.weight.saturating_sub(heavier - weight);
        batch
    }
}

/// The worker of a lane, until the lane is empty. If it breaks off, the lane is closed, and the
/// callers that wait in it get an error.
struct Lane<B: Batch> {
    shared: Arc<Shared<B>>,
    key: B::Key,
    /// True until this worker has removed its lane; after that the key's lane is another worker's,
    /// so `Drop` must leave it.
    open: bool,
}

impl<B: Batch> Lane<B> {
    async fn run(mut self) {
        loop {
            let Some(batch) = self.shared.lanes().next(&self.key) else {
                self.open = false;
                return;
            };
            let (items, askers) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
            let mut gathered = Gathered { shared: &self.shared, key: &self.key, items, askers, weight: 0 };
            gathered.add(batch);
            let work = self.shared.work.run(self.key.clone(), &mut gathered);
            let answers = tokio::time::timeout(B::TIMEOUT, work)
                .await
                .unwrap_or_else(|late| Err(Error::unavailable(late)));
            let askers = gathered.askers;
            match answers {
                // A caller that no longer waits is skipped.
                Ok(answers) => {
                    askers.into_iter().zip(answers).for_each(|(asker, answer)| drop(asker.send(answer)))
                }
                Err(error) => tell_all(askers, error),
            }
        }
    }
}

impl<B: Batch> Drop for Lane<B> {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let mut lanes = self.shared.lanes();
        if let Some(left) = lanes.waiting.remove(&self.key) {
            let weight: usize = left.iter().map(|one| B::weight(&one.item)).sum();
            lanes.weight = lanes.weight.saturating_sub(weight);
        }
    }
}

/// Fails all askers. The cause goes to the first of them: once is enough for the log.
fn tell_all<A>(askers: Vec<oneshot::Sender<Result<A>>>, error: Error) {
    let mut askers = askers.into_iter();
    let first = askers.next();
    askers.for_each(|asker| drop(asker.send(Err(error.without_cause()))));
    first.map(|asker| asker.send(Err(error)));
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    /// The batches that were done.
    type Done = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Answers each item with the batch it was in; runs as far as the gate lets it.
    struct Gated(Arc<Semaphore>, Done);

    impl Batch for Gated {
        type Key = &'static str;
        type Item = u32;
        type Answer = Vec<u32>;
        const BATCH: usize = 4;
        const QUEUE: usize = 8;

        async fn run(
            &self,
            _: &'static str,
            items: &mut Gathered<'_, Self>,
        ) -> Result<Vec<Result<Vec<u32>>>> {
            self.0.acquire().await.unwrap().forget();
            let items = items.items().to_vec();
            assert!(!items.contains(&13), "unlucky");
            if items.contains(&7) {
                return Err(Error::new(Code::Unavailable, "away").because("the cause"));
            }
            self.1.lock().unwrap().push(items.clone());
            Ok(items.iter().map(|_| Ok(items.clone())).collect())
        }
    }

    fn gated() -> (Batcher<Gated>, Arc<Semaphore>, Done) {
        let (gate, done) = (Arc::new(Semaphore::new(0)), Arc::default());
        (Batcher::new(Gated(Arc::clone(&gate), Arc::clone(&done))), gate, done)
    }

    /// Submits the items in their order, without waiting for answers.
    async fn submit(
        batcher: &Batcher<Gated>,
        key: &'static str,
        items: &[u32],
    ) -> Vec<tokio::task::JoinHandle<Result<Vec<u32>>>> {
        let mut tasks = Vec::new();
        for item in items.iter().copied() {
            let batcher = batcher.clone();
            tasks.push(tokio::spawn(async move { batcher.submit(key, item).await }));
            tokio::task::yield_now().await;
        }
        tasks
    }

    #[tokio::test]
    async fn what_arrives_during_a_batch_is_done_together_in_order() {
        let (batcher, gate, done) = gated();
        let tasks = submit(&batcher, "a", &[1, 2, 3, 4, 5, 6]).await;
        gate.add_permits(3);
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(*done.lock().unwrap(), [vec![1], vec![2, 3, 4, 5], vec![6]]);
        tokio::task::yield_now().await;
        assert_eq!(format!("{batcher:?}"), "Batcher(0 waiting in 0 lanes)");
    }

    #[tokio::test]
    async fn lanes_do_not_wait_for_each_other() {
        let (batcher, gate, _) = gated();
        let mut slow = submit(&batcher, "a", &[1, 2]).await;
        let mut quick = submit(&batcher, "b", &[3]).await;
        gate.add_permits(2);
        assert_eq!(quick.remove(0).await.unwrap().unwrap(), [3]);
        assert_eq!(slow.remove(0).await.unwrap().unwrap(), [1]);
    }

    #[tokio::test]
    async fn a_failure_is_everybodys_of_that_batch_and_nobody_elses() {
        let (batcher, gate, _) = gated();
        let tasks = submit(&batcher, "a", &[1, 7, 8, 2, 3, 4]).await;
        gate.add_permits(3);
        let mut codes = Vec::new();
        for task in tasks {
            codes.push(task.await.unwrap().err().map(|error| error.code()));
        }
        let away = Some(Code::Unavailable);
        assert_eq!(codes, [None, away, away, away, away, None]);
    }

    #[tokio::test]
    async fn a_panic_closes_the_lane_and_the_next_opens_it_again() {
        let (batcher, gate, _) = gated();
        let tasks = submit(&batcher, "a", &[13, 1]).await;
        gate.add_permits(2);
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap_err().code(), Code::Internal);
        }
        assert_eq!(batcher.submit("a", 5).await.unwrap(), [5]);
        assert_eq!(format!("{batcher:?}").split(' ').next(), Some("Batcher(0"));
    }

    #[tokio::test]
    async fn the_queue_is_bounded() {
        let (batcher, gate, _) = gated();
        let mut tasks = submit(&batcher, "a", &[0; 9]).await;
        let over = batcher.submit("b", 1).await.unwrap_err();
        assert_eq!(over.code(), Code::Overloaded);
        gate.add_permits(10);
        tasks.remove(8).await.unwrap().unwrap();
        batcher.submit("b", 1).await.unwrap();
    }

    struct Echoes;

    impl Batch for Echoes {
        type Key = ();
        type Item = u32;
        type Answer = u32;
        const BATCH: usize = 2;
        const QUEUE: usize = 100;

        async fn run(&self, (): (), items: &mut Gathered<'_, Self>) -> Result<Vec<Result<u32>>> {
            tokio::task::yield_now().await;
            items.more(|_| true);
            Ok(items.items().iter().copied().map(Ok).collect())
        }
    }

    /// A lane is closed and opened all the time here; a worker that closes it must not drop items
    /// of the one that has just opened it again.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_is_lost_between_one_who_closes_a_lane_and_one_who_opens_it() {
        let batcher = Batcher::new(Echoes);
        let askers = (0..8).map(|asker| {
            let batcher = batcher.clone();
            tokio::spawn(async move {
                for _ in 0..5_000 {
                    assert_eq!(batcher.submit((), asker).await.unwrap(), asker);
                }
            })
        });
        for asker in askers.collect::<Vec<_>>() {
            asker.await.unwrap();
        }
    }

    /// Waits for its turn, and then does all items that have come by then.
    struct Late(Arc<Semaphore>);

    impl Batch for Late {
        type Key = ();
        type Item = u32;
        type Answer = usize;
        const BATCH: usize = 3;
        const QUEUE: usize = 100;

        async fn run(&self, (): (), items: &mut Gathered<'_, Self>) -> Result<Vec<Result<usize>>> {
            self.0.acquire().await.unwrap().forget();
            items.more(|_| true);
            Ok(items.items().iter().map(|_| Ok(items.items().len())).collect())
        }
    }

    #[tokio::test]
    async fn a_batch_that_waits_for_its_turn_takes_in_what_comes_meanwhile() {
        let gate = Arc::new(Semaphore::new(0));
        let batcher = Batcher::new(Late(Arc::clone(&gate)));
        let mut tasks = Vec::new();
        for item in 0..5 {
            let batcher = batcher.clone();
            tasks.push(tokio::spawn(async move { batcher.submit((), item).await }));
            tokio::task::yield_now().await;
        }
        gate.add_permits(2);
        let mut sizes = Vec::new();
        for task in tasks {
            sizes.push(task.await.unwrap().unwrap());
        }
        assert_eq!(sizes, [3, 3, 3, 2, 2]);
    }

    struct Hangs;

    impl Batch for Hangs {
        type Key = ();
        type Item = ();
        type Answer = ();
        const BATCH: usize = 1;
        const QUEUE: usize = 1;
        const TIMEOUT: Duration = Duration::from_millis(10);

        async fn run(&self, (): (), _: &mut Gathered<'_, Self>) -> Result<Vec<Result<()>>> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_batch_that_hangs_is_given_up() {
        assert_eq!(Batcher::new(Hangs).submit((), ()).await.unwrap_err().code(), Code::Unavailable);
    }
}
