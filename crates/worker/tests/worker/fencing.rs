//! No claim runs twice, and a late settlement never settles a newer claim.

use std::{collections::HashMap, time::Duration};

use kernel::queue::{self, Claim, Claimed, Queue, Settlement};

use crate::support::{Act, Mortal, Probe, Scene};

const LONG: Duration = Duration::from_secs(60);
const ENDED: Duration = Duration::ZERO;

/// Claims with the epoch of a fresh database.
async fn claim(scene: &Scene, limit: usize, lease: Duration) -> Vec<Claimed> {
    queue::claim(&scene.core.db, 0, Queue::Default, limit, lease).await.unwrap()
}

async fn claim_one(scene: &Scene, lease: Duration) -> Claimed {
    claim(scene, 1, lease).await.pop().expect("a job is due")
}

async fn settle(scene: &Scene, claim: Claim, settlement: Settlement) -> bool {
    let stale = queue::settle(&scene.core.db, &HashMap::from([(claim, settlement)])).await.unwrap();
    assert!(stale.is_empty() || stale == [claim]);
    stale.is_empty()
}

#[tokio::test]
async fn claimants_at_the_same_time_never_get_the_same_job() {
    let scene = Scene::new().await;
    let jobs: Vec<Probe> = (0..500).map(|number| Probe::new(number, Act::Succeed)).collect();
    scene.enqueue(&jobs).await;
    let claimant = || async {
        let mut mine = Vec::new();
        loop {
            let some = claim(&scene, 7, LONG).await;
            if some.is_empty() {
                return mine;
            }
            mine.extend(some.into_iter().map(|job| job.claim.id));
        }
    };
    let (a, b, c, d) = tokio::join!(claimant(), claimant(), claimant(), claimant());
    let mut all = [a, b, c, d].concat();
    all.sort_unstable();
    let claimed = all.len();
    all.dedup();
    assert_eq!((claimed, all.len()), (500, 500));
}

#[tokio::test]
async fn an_older_epoch_claims_nothing() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    let epoch = queue::lease::acquire(&scene.core.db, "the newest", LONG).await.unwrap().unwrap();
    assert!(claim(&scene, 1, LONG).await.is_empty(), "0 was the epoch before");
    assert_eq!(queue::claim(&scene.core.db, epoch, Queue::Default, 1, LONG).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_late_settlement_changes_nothing() {
    let late = [
        Settlement::Done,
        Settlement::HandBack,
        Settlement::Snooze { after: LONG },
        Settlement::Retry { after: LONG, error: "late".to_owned() },
        Settlement::Dead { error: "late".to_owned() },
    ];
    for settlement in late {
        let scene = Scene::new().await;
        scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
        let older = claim_one(&scene, ENDED).await;
        let newer = claim_one(&scene, LONG).await;
        assert_eq!((older.claim.id, older.attempt, newer.attempt), (newer.claim.id, 1, 2));

        let renewed = queue::renew(&scene.core.db, &[older.claim, newer.claim], LONG).await.unwrap();
        assert_eq!(renewed, [newer.claim]);
        assert!(!settle(&scene, older.claim, settlement.clone()).await, "{settlement:?}");
        let row = scene.only_job().await;
        assert_eq!((row.attempts, row.dead, row.last_error), (2, false, None));
        assert!(row.due_in > 50.0, "the newer claim still holds it");
        assert!(settle(&scene, newer.claim, Settlement::Done).await);
        assert_eq!(scene.jobs().await, 0);
    }
}

#[tokio::test]
async fn a_hand_back_charges_nothing_and_still_makes_the_claim_stale() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    let first = claim_one(&scene, LONG).await;
    assert!(settle(&scene, first.claim, Settlement::HandBack).await);
    let second = claim_one(&scene, LONG).await;
    assert_eq!((first.attempt, second.attempt), (1, 1));
    assert_ne!(first.claim, second.claim);
    assert!(!settle(&scene, first.claim, Settlement::Done).await);
    assert!(settle(&scene, second.claim, Settlement::Done).await);
}

#[tokio::test]
async fn a_late_renewal_does_not_pull_a_job_out_of_its_wait() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    let claimed = claim_one(&scene, LONG).await;
    assert!(settle(&scene, claimed.claim, Settlement::Snooze { after: Duration::from_secs(7200) }).await);
    assert!(queue::renew(&scene.core.db, &[claimed.claim], LONG).await.unwrap().is_empty());
    let row = scene.only_job().await;
    assert!(row.due_in > 7000.0, "due in {} s", row.due_in);
    assert_eq!(row.attempts, 0, "a snooze charges nothing");
}

#[tokio::test]
async fn a_settlement_said_twice_counts_once() {
    let scene = Scene::new().await;
    scene.enqueue(&[Probe::new("job", Act::Succeed)]).await;
    let claimed = claim_one(&scene, LONG).await;
    let retry = Settlement::Retry { after: LONG, error: "once".to_owned() };
    assert!(settle(&scene, claimed.claim, retry.clone()).await);
    assert!(!settle(&scene, claimed.claim, retry).await);
    assert_eq!(scene.only_job().await.attempts, 1);
}

#[tokio::test]
async fn a_job_whose_last_worker_vanished_is_dead() {
    let scene = Scene::new().await;
    scene.enqueue(&[Mortal::new("job", Act::Succeed)]).await;
    assert!(!claim_one(&scene, ENDED).await.dead);
    assert!(!claim_one(&scene, ENDED).await.dead);
    assert!(claim_one(&scene, LONG).await.dead);
    let row = scene.only_job().await;
    assert_eq!((row.attempts, row.dead), (2, true));
    assert!(row.error().contains("vanished"), "{}", row.error());
    assert!(claim(&scene, 1, LONG).await.is_empty());
}

#[tokio::test]
async fn dead_jobs_are_kept_for_their_retention() {
    let scene = Scene::new().await;
    let jobs: Vec<Probe> = (0..5).map(|number| Probe::new(number, Act::Succeed)).collect();
    scene.enqueue(&jobs).await;
    for job in claim(&scene, 4, LONG).await {
        assert!(settle(&scene, job.claim, Settlement::Dead { error: "for good".to_owned() }).await);
    }
    let stats = queue::stats(&scene.core.db).await.unwrap();
    assert_eq!((stats[0].queue.as_str(), stats[0].due, stats[0].later, stats[0].dead), ("default", 1, 0, 4));

    assert_eq!(queue::prune_dead(&scene.core.db, LONG, 10).await.unwrap(), 0);
    sqlx::query("UPDATE jobs SET dead_at = dead_at - interval '2 minutes'")
        .execute(&scene.pool)
        .await
        .unwrap();
    assert_eq!(queue::prune_dead(&scene.core.db, LONG, 3).await.unwrap(), 3, "no more than asked for");
    assert_eq!(queue::prune_dead(&scene.core.db, LONG, 3).await.unwrap(), 1);
    assert_eq!(scene.jobs().await, 1, "the living one stays");
}
