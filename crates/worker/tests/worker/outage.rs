//! Nothing that happens to Postgres ends a worker.

use std::time::Duration;

use crate::support::{Act, Probe, Scene, eventually};

async fn kill_connections(scene: &Scene) {
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&scene.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn killed_connections_lose_no_job() {
    let scene = Scene::new().await;
    let _worker = scene.worker().working().await;
    for round in 0..10 {
        let jobs: Vec<Probe> = (0..20).map(|number| Probe::new(format!("{round}.{number}"), Act::Succeed)).collect();
        scene.enqueue(&jobs).await;
        kill_connections(&scene).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        kill_connections(&scene).await;
    }
    eventually("all are done", || async { scene.jobs().await == 0 }).await;
    for round in 0..10 {
        for number in 0..20 {
            assert!(scene.runs_of(&format!("{round}.{number}")) >= 1, "{round}.{number} was lost");
        }
    }
}
