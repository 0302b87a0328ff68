//! The cost of reading.

use kernel::page::PageQuery;
use serde_json::json;
use vault::{self, Filter};

use crate::scene::Scene;

/// In a log that was committed 20,000 times, a filter by time reads a handful of checkpoints.
#[tokio::test]
async fn a_filter_by_time_does_not_walk_the_checkpoints() {
    let scene = Scene::new().await;
    scene.append(&scene.vault(), (0..3).map(|n| json!({"kind": "k", "verdict": "SEAL", "payload": n}))).await;
    let many = "INSERT INTO vault_checkpoints SELECT project_id, 3 + n, root, at + n * interval '1 s' \
                FROM vault_checkpoints, generate_series(1, 20000) n";
    sqlx::raw_sql(many).execute(&scene.pool).await.unwrap();
    sqlx::raw_sql("VACUUM ANALYZE vault_checkpoints").execute(&scene.pool).await.unwrap();
    // One connection, so that the test can ask it what it read.
    let vault = scene.replica(&scene.kek, 1);
    let read = async || -> i64 {
        sqlx::raw_sql("SELECT pg_stat_force_next_flush()").execute(vault.core.db.pool()).await.unwrap();
        let sql = "SELECT (seq_tup_read + ( \
                       SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i \
                       WHERE i.relid = t.relid))::bigint \
                   FROM pg_stat_user_tables t WHERE relname = 'vault_checkpoints'";
        sqlx::query_scalar(sql).fetch_one(vault.core.db.pool()).await.unwrap()
    };
    let before = read().await;
    let now = vault.core.clock.now();
    // In the middle, where neither end of an index is near.
    let middle = now + chrono::TimeDelta::seconds(10_000);
    for (from, to, found) in [(Some(middle), None, 0), (None, Some(middle), 3), (Some(now), Some(middle), 0)]
    {
        let filter = Filter { from, to, ..Filter::default() };
        let page = PageQuery { limit: Some(10), cursor: None }.try_into().unwrap();
        let page = vault::list(&vault, &scene.allowed(), &filter, page).await.unwrap();
        assert_eq!(page.data.len(), found);
        let counted = vault::count(&vault, &scene.allowed(), &filter).await.unwrap();
        assert_eq!(counted.total, found as u64);
    }
    let read = read().await - before;
    assert!(read < 50, "{read} checkpoints were read");
}
