//! The guard around a dependency that answers, hangs or fails on command.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU32, Ordering},
};

use super::*;

const ANSWERS: u8 = 0;
const HANGS: u8 = 1;
const FAILS: u8 = 2;

#[derive(Clone, Default)]
struct Fickle {
    mood: Arc<AtomicU8>,
    tried: Arc<AtomicU32>,
    resets: Arc<AtomicU32>,
}

impl Fickle {
    async fn work(&self) -> Result<&'static str, Failure> {
        self.tried.fetch_add(1, Ordering::SeqCst);
        match self.mood.load(Ordering::SeqCst) {
            ANSWERS => Ok("answer"),
            HANGS => std::future::pending().await,
            _ => Err(Failure::Broken("secret of the server".to_owned())),
        }
    }

    fn set(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }
}

impl Driver for Fickle {
    const NAME: &'static str = "fickle";
    const CALL_LIMIT: Duration = Duration::from_millis(100);
    const PROBE_LIMIT: Duration = Duration::from_millis(100);

    async fn probe(&self) -> Result<(), Failure> {
        self.work().await.map(drop)
    }

    fn reset(&self) {
        self.resets.fetch_add(1, Ordering::SeqCst);
    }
}

async fn up() -> (Fickle, Guarded<Fickle>) {
    let fickle = Fickle::default();
    let guarded = Guarded::new(Some(fickle.clone()));
    guarded.probe(&fickle).await;
    assert!(guarded.is_up());
    fickle.tried.store(0, Ordering::SeqCst);
    (fickle, guarded)
}

#[tokio::test]
async fn what_is_not_configured_is_never_called_and_disabled() {
    let guarded: Guarded<Fickle> = Guarded::new(None);
    assert_eq!(guarded.call(Fickle::work).await, None);
    assert_eq!(guarded.check().await.status, Status::Disabled);
    guarded.keep(CancellationToken::new()).await;
}

#[tokio::test]
async fn before_the_first_probe_nothing_is_tried() {
    let fickle = Fickle::default();
    let guarded = Guarded::new(Some(fickle.clone()));
    assert_eq!(guarded.call(Fickle::work).await, None);
    assert_eq!(fickle.tried.load(Ordering::SeqCst), 0);
    assert_eq!(guarded.check().await.status, Status::Error);
}

#[tokio::test]
async fn a_freeze_costs_the_calls_under_way_one_limit_together_and_later_ones_nothing() {
    let (fickle, guarded) = up().await;
    assert_eq!(guarded.call(Fickle::work).await, Some("answer"));
    fickle.set(HANGS);

    let frozen_at = Instant::now();
    let calls = (0..1000).map(|_| guarded.call(Fickle::work));
    assert!(futures::future::join_all(calls).await.iter().all(Option::is_none));
    let cost = frozen_at.elapsed();
    assert!(cost >= Fickle::CALL_LIMIT && cost < 10 * Fickle::CALL_LIMIT, "{cost:?}");

    let tried = fickle.tried.load(Ordering::SeqCst);
    for _ in 0..1000 {
        assert_eq!(guarded.call(Fickle::work).await, None);
    }
    assert_eq!(fickle.tried.load(Ordering::SeqCst), tried, "while open nothing is tried");
    assert!(fickle.resets.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn health_tells_what_happened_and_no_more() {
    let (fickle, guarded) = up().await;
    let check = guarded.check().await;
    assert!(check.status == Status::Ok && check.latency_ms.is_some() && check.detail.is_none());

    fickle.set(FAILS);
    assert_eq!(guarded.call(Fickle::work).await, None);
    let check = guarded.check().await;
    assert_eq!(check.status, Status::Error);
    assert!(!check.detail.unwrap().contains("secret"));
}

#[tokio::test]
async fn the_keeper_brings_it_back() {
    let (fickle, guarded) = up().await;
    fickle.set(HANGS);
    assert_eq!(guarded.call(Fickle::work).await, None);
    let stop = CancellationToken::new();
    let keeper = tokio::spawn(guarded.clone().keep(stop.clone()));
    fickle.set(ANSWERS);
    let back = async {
        while !guarded.is_up() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), back).await.unwrap();
    assert_eq!(guarded.call(Fickle::work).await, Some("answer"));
    stop.cancel();
    keeper.await.unwrap();
}
