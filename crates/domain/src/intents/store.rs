//! The SQL of intents and their deliveries.

use kernel::{
    caller::Signer,
    clock::Timestamp,
    ids::{AgentId, DeliveryId, IntentId, LeaseToken, ProjectId},
};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    limits::{MAX_ATTEMPTS, MAX_BATCH_BYTES},
    model::{CheckedIntent, DeliveryRow, LeaseClaim, PendingRow, State, Summary},
};

/// The columns of a [`DeliveryRow`].
macro_rules! columns {
    () => {
        "d.id, i.id AS intent_id, i.sender_id, d.recipient_id, s.did AS sender, r.did AS recipient, i.type, \
        i.body, i.correlation_id, i.signature_base, i.signature, i.public_key, i.traceparent, i.created_at, \
        i.expires_at, d.state, d.attempts, d.visible_at, d.settled_at, d.last_error"
    };
}

/// The intent `i` of a delivery `d`, and the agents at both ends. Removed agents keep their rows.
macro_rules! joins {
    () => {
        " JOIN intents i ON i.id = d.intent_id \
          JOIN agents s ON s.id = i.sender_id JOIN agents r ON r.id = d.recipient_id "
    };
}

/// The two ends of an intent, as far as they exist.
#[derive(FromRow)]
pub(super) struct Route {
    pub(super) sender_lives: bool,
    pub(super) recipient: Option<AgentId>,
}

/// Inserts intent and delivery, if sender and recipient are registered: one statement, one round
/// trip.
pub(super) async fn insert(
    tx: &mut PgConnection,
    by: &Signer,
    intent: &CheckedIntent<'_>,
) -> sqlx::Result<Route> {
    sqlx::query_as(
        "WITH route AS ( \
             SELECT EXISTS (SELECT FROM agents WHERE id = $4 AND deleted_at IS NULL) AS sender_lives, \
                    (SELECT id FROM agents WHERE project_id = $2 AND did = $5 AND deleted_at IS NULL) \
                        AS recipient \
         ), intent AS ( \
             INSERT INTO intents (id, project_id, sender_id, recipient_id, type, body, correlation_id, \
                                  signature_base, signature, public_key, traceparent, created_at, \
                                  expires_at) \
             SELECT $1, $2, $4, recipient, $6, $7, $8, $9, $10, $11, $12, $13, $14 \
             FROM route WHERE sender_lives AND recipient IS NOT NULL \
         ), delivery AS ( \
             INSERT INTO deliveries \
                 (id, project_id, intent_id, recipient_id, state, visible_at, expires_at, size) \
             SELECT $3, $2, $1, recipient, 'accepted', $13, $14, octet_length($7) \
             FROM route WHERE sender_lives AND recipient IS NOT NULL \
         ) \
         SELECT sender_lives, recipient FROM route",
    )
    .bind(intent.id)
    .bind(by.principal.project)
    .bind(intent.delivery)
    .bind(by.agent)
    .bind(&intent.to)
    .bind(intent.kind)
    .bind(intent.body)
    .bind(intent.correlation_id)
    .bind(&by.proof.base)
    .bind(&by.proof.signature)
    .bind(by.proof.public_key.as_bytes().as_slice())
    .bind(&by.principal.request.traceparent)
    .bind(intent.created_at)
    .bind(intent.expires_at)
    .fetch_one(tx)
    .await
}

pub(super) async fn find_intent(tx: &mut PgConnection, id: IntentId) -> sqlx::Result<Option<DeliveryRow>> {
    sqlx::query_as(concat!("SELECT ", columns!(), " FROM deliveries d", joins!(), "WHERE d.intent_id = $1"))
        .bind(id)
        .fetch_optional(tx)
        .await
}

pub(super) async fn list(
    tx: &mut PgConnection,
    project: ProjectId,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Summary>> {
    sqlx::query_as(
        "SELECT i.id, s.did AS sender, r.did AS recipient, i.type, i.correlation_id, i.created_at, \
                i.expires_at, d.state, d.attempts, d.visible_at, d.settled_at, d.last_error \
         FROM intents i JOIN deliveries d ON d.intent_id = i.id \
              JOIN agents s ON s.id = i.sender_id JOIN agents r ON r.id = i.recipient_id \
         WHERE i.project_id = $1 AND ($2::uuid IS NULL OR i.id < $2) ORDER BY i.id DESC LIMIT $3",
    )
    .bind(project)
    .bind(before)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Leases up to `max` due deliveries of the signing agent, the oldest first, while it is registered
/// with the key it signed with; marks those dead that were leased [`MAX_ATTEMPTS`] times. Skips
/// deliveries that another transaction is leasing.
pub(super) async fn lease_due(
    tx: &mut PgConnection,
    by: &Signer,
    max: u16,
    now: Timestamp,
    until: Timestamp,
    token: LeaseToken,
) -> sqlx::Result<Vec<DeliveryRow>> {
    sqlx::query_as(concat!(
        "WITH due AS ( \
                 SELECT id, attempts < $6 AS again, visible_at, size FROM deliveries \
                 WHERE recipient_id = $1 AND state IN ('accepted', 'leased') AND visible_at <= $3 \
                   AND expires_at > $3 \
                   AND EXISTS (SELECT FROM agents WHERE id = $1 AND public_key = $8 AND deleted_at IS NULL) \
                 ORDER BY visible_at, id LIMIT $2 FOR UPDATE SKIP LOCKED \
             ), sized AS ( \
                 SELECT id, again, sum(size) OVER (ORDER BY visible_at, id) - size AS before FROM due \
             ), given_up AS ( \
                 UPDATE deliveries SET state = 'dead', settled_at = $3 FROM sized \
                 WHERE deliveries.id = sized.id AND NOT again \
             ), d AS ( \
                 UPDATE deliveries SET state = 'leased', attempts = attempts + 1, visible_at = $4, \
                                       lease_token = $5 \
                 FROM sized WHERE deliveries.id = sized.id AND again AND before < $7 RETURNING deliveries.* \
             ) SELECT ",
        columns!(),
        " FROM d",
        joins!(),
        "ORDER BY d.id"
    ))
    .bind(by.agent)
    .bind(i64::from(max))
    .bind(now)
    .bind(until)
    .bind(token)
    .bind(MAX_ATTEMPTS)
    .bind(MAX_BATCH_BYTES)
    .bind(by.proof.public_key.as_bytes().as_slice())
    .fetch_all(tx)
    .await
}

/// Leases one delivery for a push, if it is due and its recipient has an endpoint.
pub(super) async fn lease_for_push(
    tx: &mut PgConnection,
    claim: LeaseClaim,
    now: Timestamp,
    until: Timestamp,
) -> sqlx::Result<Option<DeliveryRow>> {
    sqlx::query_as(concat!(
        "WITH d AS ( \
                 UPDATE deliveries SET state = 'leased', attempts = attempts + 1, visible_at = $3, \
                                       lease_token = $4 \
                 WHERE id = $1 AND state IN ('accepted', 'leased') AND visible_at <= $2 AND expires_at > $2 \
                 RETURNING * \
             ) SELECT ",
        columns!(),
        " FROM d",
        joins!()
    ))
    .bind(claim.delivery)
    .bind(now)
    .bind(until)
    .bind(claim.token)
    .fetch_optional(tx)
    .await
}

pub(super) async fn find_pending(tx: &mut PgConnection, id: DeliveryId) -> sqlx::Result<Option<PendingRow>> {
    sqlx::query_as(
        "SELECT d.state, d.visible_at, d.expires_at, a.id AS recipient, a.endpoint, \
                a.deleted_at IS NOT NULL AS is_removed \
         FROM deliveries d JOIN agents a ON a.id = d.recipient_id WHERE d.id = $1",
    )
    .bind(id)
    .fetch_optional(tx)
    .await
}

/// Settles a delivery as acknowledged. A lease that ended is still valid until another takes the
/// delivery or the intent expires.
pub(super) async fn ack(
    tx: &mut PgConnection,
    recipient: AgentId,
    claim: LeaseClaim,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'acked', settled_at = $4 \
         WHERE id = $1 AND recipient_id = $2 AND lease_token = $3 AND state = 'leased' \
           AND (visible_at > $4 OR expires_at > $4)",
    )
    .bind(claim.delivery)
    .bind(recipient)
    .bind(claim.token)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Hands a delivery back, to be leased again from `visible_at`.
pub(super) async fn release(
    tx: &mut PgConnection,
    recipient: AgentId,
    claim: LeaseClaim,
    now: Timestamp,
    visible_at: Timestamp,
    error: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'accepted', lease_token = NULL, visible_at = $5, last_error = $6 \
         WHERE id = $1 AND recipient_id = $2 AND lease_token = $3 AND state = 'leased' \
           AND (visible_at > $4 OR expires_at > $4)",
    )
    .bind(claim.delivery)
    .bind(recipient)
    .bind(claim.token)
    .bind(now)
    .bind(visible_at)
    .bind(error)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Moves the end of a lease; one that ended cannot be brought back.
pub(super) async fn extend(
    tx: &mut PgConnection,
    recipient: AgentId,
    claim: LeaseClaim,
    now: Timestamp,
    until: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "UPDATE deliveries SET visible_at = $5 \
         WHERE id = $1 AND recipient_id = $2 AND lease_token = $3 AND state = 'leased' AND visible_at > $4",
    )
    .bind(claim.delivery)
    .bind(recipient)
    .bind(claim.token)
    .bind(now)
    .bind(until)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Returns the state of `recipient`'s delivery, and the token of the newest lease on it.
pub(super) async fn settled_by(
    tx: &mut PgConnection,
    recipient: AgentId,
    id: DeliveryId,
) -> sqlx::Result<Option<(State, Option<LeaseToken>)>> {
    sqlx::query_as("SELECT state, lease_token FROM deliveries WHERE id = $1 AND recipient_id = $2")
        .bind(id)
        .bind(recipient)
        .fetch_optional(tx)
        .await
}

/// Records that a push failed. Returns how many have, or `None` when the lease was lost.
pub(super) async fn push_failed(
    tx: &mut PgConnection,
    recipient: AgentId,
    claim: LeaseClaim,
    now: Timestamp,
    error: &str,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "UPDATE deliveries SET state = 'accepted', lease_token = NULL, visible_at = $4, last_error = $5, \
                               failed_pushes = failed_pushes + 1 \
         WHERE id = $1 AND recipient_id = $2 AND lease_token = $3 AND state = 'leased' \
         RETURNING failed_pushes",
    )
    .bind(claim.delivery)
    .bind(recipient)
    .bind(claim.token)
    .bind(now)
    .bind(error)
    .fetch_optional(tx)
    .await
}

pub(super) async fn mark_dead(tx: &mut PgConnection, id: DeliveryId, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE deliveries SET state = 'dead', settled_at = $2 WHERE id = $1 AND state IN ('accepted', \
        'leased')",
    )
    .bind(id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Settles up to `limit` deliveries whose time is over, except those with a lease that still runs.
pub(super) async fn sweep(tx: &mut PgConnection, now: Timestamp, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'expired', settled_at = expires_at \
         WHERE id IN (SELECT id FROM deliveries \
                      WHERE state IN ('accepted', 'leased') AND expires_at <= $1 \
                        AND (state = 'accepted' OR visible_at <= $1) \
                      LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes up to `limit` intents, with their deliveries, that were settled before `before`.
pub(super) async fn prune(tx: &mut PgConnection, before: Timestamp, limit: i64) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "WITH gone AS ( \
             DELETE FROM deliveries \
             WHERE id IN (SELECT id FROM deliveries WHERE settled_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) \
             RETURNING intent_id \
         ) \
         DELETE FROM intents USING gone WHERE intents.id = gone.intent_id",
    )
    .bind(before)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Marks up to `limit` open deliveries of an agent as dead, if it is removed.
pub(super) async fn dead_letter(
    tx: &mut PgConnection,
    recipient: AgentId,
    now: Timestamp,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'dead', settled_at = $2, last_error = 'the recipient was removed' \
         WHERE id IN (SELECT id FROM deliveries \
                      WHERE recipient_id = $1 AND state IN ('accepted', 'leased') \
                        AND EXISTS (SELECT FROM agents WHERE id = $1 AND deleted_at IS NOT NULL) \
                      LIMIT $3 FOR UPDATE SKIP LOCKED)",
    )
    .bind(recipient)
    .bind(now)
    .bind(limit)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
