//! `/health*` and `/version`.

use crate::harness::Api;

#[tokio::test]
async fn without_postgres_the_process_lives_and_is_not_ready() {
    let api = Api::alone(&[]).await;
    assert_eq!(api.get("/health/live").await.json(), serde_json::json!({"status": "ok"}));
    let ready = api.get("/health/ready").await;
    assert_eq!((ready.status, ready.json()["status"].as_str()), (503, Some("unavailable")));
    assert!(ready.json()["reason"].as_str().is_some_and(|reason| reason.contains("Postgres")));

    let health = api.get("/health").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (503, Some("unavailable")));
    assert_eq!(health.json()["checks"]["database"]["status"], "error");
    assert!(!health.body.contains("unseen") && !health.body.contains("127.0.0.1"), "{}", health.body);
}

#[tokio::test]
async fn with_postgres_and_no_accelerators_all_is_ok() {
    let api = Api::ready(&[]).await;
    let health = api.get("/health").await;
    assert_eq!(health.status, 200);
    let health = health.json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["environment"], "development");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["uptime_seconds"].is_u64() && health.get("commit").is_some());
    assert_eq!(health["checks"]["database"]["status"], "ok");
    assert!(health["checks"]["database"]["latency_ms"].is_f64());
    for accelerator in ["redis", "nats", "qdrant"] {
        assert_eq!(health["checks"][accelerator]["status"], "disabled");
    }
    assert_eq!(api.get("/version").await.json()["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn an_accelerator_that_is_away_degrades_and_nothing_more() {
    let api =
        Api::ready(&[("REDIS_URL", "redis://:unseen@127.0.0.1:1"), ("NATS_URL", "nats://127.0.0.1:1")]).await;
    let health = api.get("/health").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("degraded")));
    assert_eq!(health.json()["checks"]["redis"]["status"], "error");
    assert_eq!(health.json()["checks"]["nats"]["status"], "error");
    assert!(!health.body.contains("unseen"), "{}", health.body);
    assert_eq!(api.get("/health/ready").await.status, 200);
}

#[tokio::test]
async fn stopping_ends_in_order() {
    let api = Api::ready(&[]).await;
    api.stop().await.unwrap();
}
