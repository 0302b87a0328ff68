//! The SQL of `jobs`, `worker_lease` and `schedules`. No other file reads or writes them.
//!
//! `now()` is the start of the transaction, which for these short ones is the present; unlike
//! `clock_timestamp()` it can be compared by index.

use std::time::Duration;

use serde_json::value::RawValue;
use sqlx::{FromRow, PgConnection, types::Json};

use super::{
    job::Queue,
    model::{Claim, Claimed, QueueStats, Settlement},
    schedule::{Scheduled, Slot},
};

#[derive(FromRow)]
struct ClaimedRow {
    id: i64,
    lease: i32,
    kind: String,
    payload: Json<Box<RawValue>>,
    attempts: i16,
    max_attempts: i16,
    timeout_ms: i32,
    traceparent: Option<String>,
    dead: bool,
}

/// Claims due jobs, and marks those dead whose worker vanished during their last attempt: that
/// shows only now, when the lease that the worker left behind has ended.
pub(super) async fn claim(
    tx: &mut PgConnection,
    epoch: i64,
    queue: Queue,
    limit: usize,
    lease: Duration,
) -> sqlx::Result<Vec<Claimed>> {
    let rows: Vec<ClaimedRow> = sqlx::query_as(
        "WITH due AS ( \
             SELECT id FROM jobs \
             WHERE queue = $2 AND dead_at IS NULL AND run_at <= now() \
               AND EXISTS (SELECT FROM worker_lease WHERE epoch = $1) \
             ORDER BY run_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
         UPDATE jobs SET lease = lease + 1, run_at = now() + make_interval(secs => $4), \
             attempts = LEAST(attempts + 1, max_attempts), \
             dead_at = CASE WHEN attempts >= max_attempts THEN now() END, \
             last_error = CASE WHEN attempts >= max_attempts \
                               THEN 'the worker vanished during the last attempt' ELSE last_error END \
         WHERE id = ANY (ARRAY(SELECT id FROM due)) \
         RETURNING id, lease, kind, payload, attempts, max_attempts, timeout_ms, traceparent, \
             dead_at IS NOT NULL AS dead",
    )
    .bind(epoch)
    .bind(queue.as_str())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .bind(lease.as_secs_f64())
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Claimed::from).collect())
}

impl From<ClaimedRow> for Claimed {
    fn from(row: ClaimedRow) -> Self {
        Self {
            claim: Claim { id: row.id, lease: row.lease },
            kind: row.kind,
            payload: row.payload.0,
            attempt: row.attempts.unsigned_abs(),
            max_attempts: row.max_attempts.unsigned_abs(),
            timeout: Duration::from_millis(u64::from(row.timeout_ms.unsigned_abs())),
            traceparent: row.traceparent,
            dead: row.dead,
        }
    }
}

/// Renews leases. Skips locked rows: only a settlement locks a claimed job, and a job that is being
/// settled needs no renewal. So renewals and settlements, which lock rows in different orders,
/// never wait for each other.
pub(super) async fn renew(
    tx: &mut PgConnection,
    claims: &[Claim],
    lease: Duration,
) -> sqlx::Result<Vec<Claim>> {
    let (ids, leases) = columns(claims.iter());
    let renewed: Vec<(i64, i32)> = sqlx::query_as(
        "WITH held AS ( \
             SELECT j.id FROM jobs j JOIN unnest($1::bigint[], $2::integer[]) AS c (id, lease) \
                 ON j.id = c.id AND j.lease = c.lease \
             WHERE j.dead_at IS NULL FOR UPDATE OF j SKIP LOCKED) \
         UPDATE jobs SET run_at = now() + make_interval(secs => $3) \
         WHERE id = ANY (ARRAY(SELECT id FROM held)) RETURNING id, lease",
    )
    .bind(ids)
    .bind(leases)
    .bind(lease.as_secs_f64())
    .fetch_all(tx)
    .await?;
    Ok(renewed.into_iter().map(|(id, lease)| Claim { id, lease }).collect())
}

pub(super) async fn delete(tx: &mut PgConnection, claims: &[Claim]) -> sqlx::Result<Vec<i64>> {
    let (ids, leases) = columns(claims.iter());
    sqlx::query_scalar(
        "DELETE FROM jobs j USING unnest($1::bigint[], $2::integer[]) AS c (id, lease) \
         WHERE j.id = c.id AND j.lease = c.lease RETURNING j.id",
    )
    .bind(ids)
    .bind(leases)
    .fetch_all(tx)
    .await
}

/// Settles jobs whose rows stay. The lease grows, so that a renewal that was under way cannot end a
/// job's wait.
pub(super) async fn put_back(
    tx: &mut PgConnection,
    batch: &[(&Claim, &Settlement)],
) -> sqlx::Result<Vec<i64>> {
    let (ids, leases) = columns(batch.iter().map(|(claim, _)| *claim));
    let mut waits = Vec::with_capacity(batch.len());
    let mut uncharged = Vec::with_capacity(batch.len());
    let mut dead = Vec::with_capacity(batch.len());
    let mut errors = Vec::with_capacity(batch.len());
    for (_, settlement) in batch {
        let (wait, error) = match settlement {
            Settlement::Retry { after, error } => (*after, Some(error.as_str())),
            Settlement::Dead { error } => (Duration::ZERO, Some(error.as_str())),
            Settlement::Snooze { after } => (*after, None),
            Settlement::HandBack | Settlement::Done => (Duration::ZERO, None),
        };
        waits.push(wait.as_secs_f64());
        errors.push(error);
        uncharged.push(matches!(settlement, Settlement::Snooze { .. } | Settlement::HandBack));
        dead.push(matches!(settlement, Settlement::Dead { .. }));
    }
    sqlx::query_scalar(
        "UPDATE jobs j SET lease = j.lease + 1, run_at = now() + make_interval(secs => s.wait), \
             attempts = CASE WHEN s.uncharged THEN GREATEST(j.attempts - 1, 0) ELSE j.attempts END, \
             dead_at = CASE WHEN s.dead THEN now() END, last_error = COALESCE(s.error, j.last_error) \
         FROM unnest($1::bigint[], $2::integer[], $3::float8[], $4::boolean[], $5::boolean[], $6::text[]) \
             AS s (id, lease, wait, uncharged, dead, error) \
         WHERE j.id = s.id AND j.lease = s.lease RETURNING j.id",
    )
    .bind(ids)
    .bind(leases)
    .bind(waits)
    .bind(uncharged)
    .bind(dead)
    .bind(errors)
    .fetch_all(tx)
    .await
}

pub(super) async fn prune_dead(tx: &mut PgConnection, retention: Duration, limit: i64) -> sqlx::Result<u64> {
    let pruned = sqlx::query(
        "DELETE FROM jobs WHERE id = ANY (ARRAY( \
             SELECT id FROM jobs WHERE dead_at < now() - make_interval(secs => $1) \
             ORDER BY dead_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
    )
    .bind(retention.as_secs_f64())
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(pruned.rows_affected())
}

pub(super) async fn stats(tx: &mut PgConnection) -> sqlx::Result<Vec<QueueStats>> {
    sqlx::query_as(
        "SELECT queue, \
             count(*) FILTER (WHERE dead_at IS NULL AND run_at <= now()) AS due, \
             count(*) FILTER (WHERE dead_at IS NULL AND run_at > now()) AS later, \
             count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead, \
             COALESCE( \
                 extract(epoch FROM now() - min(run_at) FILTER (WHERE dead_at IS NULL AND run_at <= now())), \
                 0)::float8 AS oldest_seconds \
         FROM jobs GROUP BY queue",
    )
    .fetch_all(tx)
    .await
}

pub(super) async fn acquire_lease(
    tx: &mut PgConnection,
    holder: &str,
    ttl: Duration,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "UPDATE worker_lease \
         SET holder = $1, epoch = epoch + 1, expires_at = now() + make_interval(secs => $2) \
         WHERE expires_at <= now() RETURNING epoch",
    )
    .bind(holder)
    .bind(ttl.as_secs_f64())
    .fetch_optional(tx)
    .await
}

/// Renews the lease, even one that ended while Postgres was away and that nobody took.
pub(super) async fn renew_lease(tx: &mut PgConnection, epoch: i64, ttl: Duration) -> sqlx::Result<bool> {
    let renewed = sqlx::query(
        "UPDATE worker_lease SET expires_at = now() + make_interval(secs => $2) WHERE epoch = $1",
    )
    .bind(epoch)
    .bind(ttl.as_secs_f64())
    .execute(tx)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

pub(super) async fn release_lease(tx: &mut PgConnection, epoch: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE worker_lease SET expires_at = '-infinity' WHERE epoch = $1")
        .bind(epoch)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn register_schedules(tx: &mut PgConnection, tasks: &[Scheduled<'_>]) -> sqlx::Result<()> {
    let (names, periods, origins) = slots(tasks);
    sqlx::query(
        "INSERT INTO schedules (name, slot) \
         SELECT name, date_bin(make_interval(secs => period), now(), to_timestamp(origin)) \
         FROM unnest($1::text[], $2::float8[], $3::float8[]) AS t (name, period, origin) \
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(names)
    .bind(periods)
    .bind(origins)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn take_slots(
    tx: &mut PgConnection,
    epoch: i64,
    tasks: &[Scheduled<'_>],
) -> sqlx::Result<Vec<Slot>> {
    let (names, periods, origins) = slots(tasks);
    sqlx::query_as(
        "UPDATE schedules s SET slot = t.slot, finished_at = NULL \
         FROM (SELECT name, date_bin(make_interval(secs => period), now(), to_timestamp(origin)) AS slot \
               FROM unnest($2::text[], $3::float8[], $4::float8[]) AS p (name, period, origin)) t \
         WHERE s.name = t.name AND s.slot < t.slot AND EXISTS (SELECT FROM worker_lease WHERE epoch = $1) \
         RETURNING s.name, s.slot",
    )
    .bind(epoch)
    .bind(names)
    .bind(periods)
    .bind(origins)
    .fetch_all(tx)
    .await
}

/// Returns the names, the lengths of slots, and the start of some slot of each, in seconds.
fn slots<'a>(tasks: &[Scheduled<'a>]) -> (Vec<&'a str>, Vec<f64>, Vec<f64>) {
    let slot = |(name, schedule): &Scheduled<'a>| {
        (*name, schedule.period().as_secs_f64(), schedule.origin().as_secs_f64())
    };
    tasks.iter().map(slot).collect()
}

pub(super) async fn finish_schedule(
    tx: &mut PgConnection,
    slot: &Slot,
    error: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE schedules SET finished_at = now(), last_error = $3 WHERE name = $1 AND slot = $2")
        .bind(&slot.name)
        .bind(slot.start)
        .bind(error)
        .execute(tx)
        .await?;
    Ok(())
}

fn columns<'a>(claims: impl Iterator<Item = &'a Claim>) -> (Vec<i64>, Vec<i32>) {
    claims.map(|claim| (claim.id, claim.lease)).unzip()
}
