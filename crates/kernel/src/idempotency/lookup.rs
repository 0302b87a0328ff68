//! Looking first responses up, and storing them.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use sqlx::PgConnection;

use super::{
    keyed::KeyedRequest,
    store::{self, NewRecord},
};
use crate::{
    Core,
    clock::Timestamp,
    error::{Code, Error, Result},
};

/// The time for which a first response is kept.
pub const RETENTION: TimeDelta = TimeDelta::hours(24);

/// Returns the first response to the request, if there was one: then nothing is to be done.
/// Otherwise the caller does its work and stores its response, in the same transaction; until that
/// ends, others with the same key get [`Code::IdempotencyInFlight`].
///
/// # Errors
/// [`Code::IdempotencyInFlight`], [`Code::IdempotencyKeyReused`].
pub async fn lookup(
    tx: &mut PgConnection,
    core: &Core,
    request: &KeyedRequest<'_>,
) -> Result<Option<Vec<u8>>> {
    let found =
        store::lookup(tx, request.lock(), request.tenant, &request.key_digest, core.clock.now()).await?;
    match found.record {
        Some((fingerprint, response)) => request.open(core, &fingerprint, &response).map(Some),
        None if found.locked => Ok(None),
        None => Err(in_flight()),
    }
}

/// Runs [`lookup`] for many requests of one tenant, in one round trip and without a lock: the
/// caller serializes requests by a lock of its own, which it takes afterwards. [`store_responses`]
/// finds what is committed in between.
///
/// # Errors
/// Each request has its own, as in [`lookup`].
pub async fn lookup_all(
    tx: &mut PgConnection,
    core: &Core,
    requests: &[Option<KeyedRequest<'_>>],
) -> Result<Vec<Result<Option<Vec<u8>>>>> {
    let digests: Vec<&[u8]> =
        requests.iter().flatten().map(|request| request.key_digest.as_slice()).collect();
    let Some(tenant) = requests.iter().flatten().map(|request| request.tenant).next() else {
        return Ok(requests.iter().map(|_| Ok(None)).collect());
    };
    let records = store::find(tx, tenant, &digests, core.clock.now()).await?;
    let mut seen = HashSet::new();
    let mut look = |request: &KeyedRequest<'_>| {
        if !seen.insert(request.key_digest) {
            return Err(in_flight());
        }
        let record = records.iter().find(|record| record.key_digest == request.key_digest);
        record.map(|record| request.open(core, &record.fingerprint, &record.response)).transpose()
    };
    Ok(requests.iter().map(|request| request.as_ref().map_or(Ok(None), &mut look)).collect())
}

/// Stores the first response to a request.
///
/// # Errors
/// [`Code::IdempotencyInFlight`] when another request with the key was faster.
pub async fn store_response(
    tx: &mut PgConnection,
    core: &Core,
    request: &KeyedRequest<'_>,
    response: &[u8],
) -> Result<()> {
    store_responses(tx, core, &[(request.clone(), response.to_vec())]).await
}

/// Runs [`store_response`] for many requests of one tenant, in one round trip.
///
/// # Errors
/// As [`store_response`].
pub async fn store_responses(
    tx: &mut PgConnection,
    core: &Core,
    responses: &[(KeyedRequest<'_>, Vec<u8>)],
) -> Result<()> {
    let Some((first, _)) = responses.first() else { return Ok(()) };
    let mut records = NewRecord::default();
    for (request, response) in responses {
        records.key_digests.push(request.key_digest.to_vec());
        records.fingerprints.push(request.fingerprint(core).to_vec());
        records.responses.push(request.encrypt(core, response)?);
    }
    let now = core.clock.now();
    let written = store::insert(tx, first.tenant, &records, now, now + RETENTION).await?;
    if written == responses.len() as u64 { Ok(()) } else { Err(in_flight()) }
}

/// Deletes up to `limit` responses that have expired. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn prune(tx: &mut PgConnection, now: Timestamp, limit: i64) -> Result<u64> {
    Ok(store::prune(tx, now, limit).await?)
}

fn in_flight() -> Error {
    let detail = "A request with this Idempotency-Key is under way; send it again in a moment";
    Error::new(Code::IdempotencyInFlight, detail).retry_after(Duration::from_secs(1))
}
