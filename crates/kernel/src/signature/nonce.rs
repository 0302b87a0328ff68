//! Nonces: each is consumed once, on whichever replica.

use std::collections::HashSet;

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::{
    store,
    verify::{MAX_SKEW, Proof},
};
use crate::{
    clock::Timestamp,
    error::{Code, Error, Result},
    ids::ProjectId,
};

/// The time for which a consumed nonce is kept: longer than any signature that carries it stays
/// acceptable.
const NONCE_LIFETIME: TimeDelta = TimeDelta::seconds(300);
const _: () =
    assert!(NONCE_LIFETIME.num_seconds() > 2 * MAX_SKEW.as_secs() as i64, "a nonce outlives its signature");

/// Consumes the proof's nonce in the transaction of the request's work.
///
/// # Errors
/// [`Code::NonceReplayed`] when it was consumed before.
pub async fn consume_nonce(tx: &mut PgConnection, project: ProjectId, proof: &Proof) -> Result<()> {
    let fresh =
        store::insert_nonce(tx, project, &proof.nonce_digest(), proof.created() + NONCE_LIFETIME).await?;
    if fresh { Ok(()) } else { Err(replayed()) }
}

/// Consumes the nonces of many requests of one project, in one round trip. Each has its own
/// outcome.
///
/// # Errors
/// Each proof has its own: [`Code::NonceReplayed`].
pub async fn consume_nonces(
    tx: &mut PgConnection,
    project: ProjectId,
    proofs: &[&Proof],
) -> Result<Vec<Result<()>>> {
    if proofs.is_empty() {
        return Ok(Vec::new());
    }
    let digests: Vec<[u8; 32]> = proofs.iter().map(|proof| proof.nonce_digest()).collect();
    let slices: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
    let ends: Vec<Timestamp> = proofs.iter().map(|proof| proof.created() + NONCE_LIFETIME).collect();
    // The first proof with a digest takes it out: when two have one nonce, the second is a replay.
    let mut fresh: HashSet<Vec<u8>> =
        store::insert_nonces(tx, project, &slices, &ends).await?.into_iter().collect();
    Ok(digests
        .iter()
        .map(|digest| if fresh.remove(digest.as_slice()) { Ok(()) } else { Err(replayed()) })
        .collect())
}

/// Deletes up to `limit` nonces whose signatures are too old to be accepted. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn prune_nonces(tx: &mut PgConnection, now: Timestamp, limit: i64) -> Result<u64> {
    Ok(store::delete_nonces(tx, now, limit).await?)
}

fn replayed() -> Error {
    Error::new(
        Code::NonceReplayed,
        "This signature's nonce was used before: sign the request anew, with a new nonce",
    )
}
