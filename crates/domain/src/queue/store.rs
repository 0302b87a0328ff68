//! The SQL of the `jobs` table.

use std::time::Duration;

use serde_json::Value;
use sqlx::PgConnection;

use crate::clock::Timestamp;

pub(super) async fn insert(
    tx: &mut PgConnection,
    kind: &str,
    payload: &Value,
    max_attempts: u16,
    timeout: Duration,
    run_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO jobs (kind, payload, max_attempts, timeout_ms, run_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(kind)
        .bind(payload)
        .bind(i16::try_from(max_attempts).unwrap_or(i16::MAX))
        .bind(i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX))
        .bind(run_at)
        .execute(tx)
        .await?;
    Ok(())
}
