//! Requests that may be sent twice: the first answer to an `Idempotency-Key` is kept in the commit of what it did, and given again.
//!
//! ```text
//! claim ──no record──▶ do it, keep the answer, commit     (one transaction)
//!   ├──a record of the same request──▶ the first answer again, nothing is done
//!   ├──a record of another request──▶ 422
//!   └──under way elsewhere──▶ 409
//! ```

mod seal;
mod store;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::TimeDelta;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use uuid::Uuid;

pub use seal::Sealer;

use crate::{
    Core,
    caller::Actor,
    crypto::sha256,
    error::{Code, Error, Result},
};

/// How long the first answer is kept.
pub const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// Whether a request was answered with the first answer, for its headers. Cloning shares the mark.
#[derive(Debug, Clone, Default)]
pub struct Replayed(Arc<AtomicBool>);

impl Replayed {
    /// Whether it was.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The `Idempotency-Key` of one request.
#[derive(Debug, Clone)]
pub struct Once {
    /// The project, or the person where there is none: what the transaction that claims it must be begun as.
    tenant: Uuid,
    key_digest: [u8; 32],
    fingerprint: [u8; 32],
    sealer: Sealer,
    replayed: Replayed,
}

impl Once {
    /// `key` is the header's value, which counts for `actor` alone; `fingerprint` is SHA-256 over what makes a request the same.
    pub fn new(tenant: Uuid, actor: Actor, key: &str, fingerprint: [u8; 32], sealer: Sealer) -> Self {
        Self {
            tenant,
            key_digest: sha256(format!("{actor}\n{key}").as_bytes()),
            fingerprint,
            sealer,
            replayed: Replayed::default(),
        }
    }

    /// Sets `mark` when the first answer is given again.
    pub fn marking(self, mark: Replayed) -> Self {
        Self { replayed: mark, ..self }
    }

    /// The first answer, if there was one: then nothing is to be done. Otherwise the caller does what was asked, and [`keep`](Self::keep)s the
    /// answer, in the same transaction.
    ///
    /// # Errors
    /// [`Code::IdempotencyInFlight`], [`Code::IdempotencyKeyReused`]; those of the database.
    pub async fn claim<T: DeserializeOwned>(&self, tx: &mut PgConnection, core: &Core) -> Result<Option<T>> {
        let claimed = store::claim(tx, self.lock(), self.tenant, &self.key_digest, core.clock.now()).await?;
        let Some((fingerprint, answer)) = claimed.record else {
            return if claimed.locked { Ok(None) } else { Err(in_flight()) };
        };
        self.answer(&fingerprint, &answer).map(Some)
    }

    /// The first answer, from its record.
    fn answer<T: DeserializeOwned>(&self, fingerprint: &[u8], answer: &[u8]) -> Result<T> {
        if !self.sealer.is_of(fingerprint, &self.fingerprint) {
            let detail = "This Idempotency-Key was used for another request in the last 24 hours; use a new one";
            return Err(Error::new(Code::IdempotencyKeyReused, detail));
        }
        let answer = self.sealer.open(&self.key_digest, answer).ok_or_else(|| {
            let detail = "The first answer to this Idempotency-Key can no longer be read; look up what it did, and use a new key";
            Error::new(Code::IdempotencyKeyReused, detail)
        })?;
        let answer = serde_json::from_slice(&answer).map_err(Error::internal)?;
        self.replayed.0.store(true, Ordering::Relaxed);
        Ok(answer)
    }

    /// Keeps the first answer.
    ///
    /// # Errors
    /// [`Code::IdempotencyInFlight`] when another request with the key was quicker; those of the database.
    pub async fn keep<T: Serialize>(&self, tx: &mut PgConnection, core: &Core, answer: &T) -> Result<()> {
        let answer = serde_json::to_vec(answer).map_err(Error::internal)?;
        let sealed = self.sealer.seal(&core.ids, &self.key_digest, &answer)?;
        let row = store::Row {
            tenant: self.tenant,
            key_digest: &self.key_digest,
            fingerprint: &self.sealer.fingerprint(&self.fingerprint)?,
            answer: &sealed,
            now: core.clock.now(),
            expires_at: core.clock.now() + KEPT_FOR,
        };
        if store::insert(tx, &row).await? { Ok(()) } else { Err(in_flight()) }
    }

    /// Advisory lock id that serialises requests with this key; on a collision one is told to retry.
    fn lock(&self) -> i64 {
        self.key_digest.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
    }
}

/// [`Once::claim`], where the request has a key.
///
/// # Errors
/// As [`Once::claim`].
pub async fn claim<T: DeserializeOwned>(once: Option<&Once>, tx: &mut PgConnection, core: &Core) -> Result<Option<T>> {
    match once {
        Some(once) => once.claim(tx, core).await,
        None => Ok(None),
    }
}

/// [`Once::keep`], where the request has a key.
///
/// # Errors
/// As [`Once::keep`].
pub async fn keep<T: Serialize>(once: Option<&Once>, tx: &mut PgConnection, core: &Core, answer: &T) -> Result<()> {
    match once {
        Some(once) => once.keep(tx, core, answer).await,
        None => Ok(()),
    }
}

/// [`Once::claim`] of many requests of one tenant, in one round trip. Who calls it puts requests in a row by another lock, which it takes afterwards: what
/// is committed in between, [`keep_all`] finds.
///
/// # Errors
/// Those of the database; those of [`Once::claim`] are each request's own.
pub async fn claim_all<T: DeserializeOwned>(
    requests: &[Option<&Once>],
    tx: &mut PgConnection,
    core: &Core,
) -> Result<Vec<Result<Option<T>>>> {
    let mut digests: Vec<&[u8]> = Vec::new();
    let mut tenant = None;
    for once in requests.iter().flatten() {
        digests.push(&once.key_digest);
        tenant = Some(once.tenant);
    }
    let Some(tenant) = tenant else { return Ok(requests.iter().map(|_| Ok(None)).collect()) };
    let records = store::find(tx, tenant, &digests, core.clock.now()).await?;
    let mut seen = HashSet::new();
    let mut claim = |once: &&Once| {
        if !seen.insert(once.key_digest) {
            return Err(in_flight());
        }
        let record = records.iter().find(|record| record.key_digest == once.key_digest);
        record.map(|record| once.answer(&record.fingerprint, &record.answer)).transpose()
    };
    Ok(requests.iter().map(|once| once.as_ref().map_or(Ok(None), &mut claim)).collect())
}

/// [`Once::keep`] for many requests of one tenant, in one round trip.
///
/// # Errors
/// As [`Once::keep`].
pub async fn keep_all<T: Serialize>(answers: &[(&Once, T)], tx: &mut PgConnection, core: &Core) -> Result<()> {
    let Some((first, _)) = answers.first() else { return Ok(()) };
    let mut rows = store::Rows { tenant: first.tenant, ..store::Rows::default() };
    for (once, answer) in answers {
        let answer = serde_json::to_vec(answer).map_err(Error::internal)?;
        rows.key_digests.push(once.key_digest.to_vec());
        rows.fingerprints.push(once.sealer.fingerprint(&once.fingerprint)?.to_vec());
        rows.answers.push(once.sealer.seal(&core.ids, &once.key_digest, &answer)?);
    }
    let now = core.clock.now();
    let written = store::insert_all(tx, &rows, now, now + KEPT_FOR).await?;
    if written == answers.len() as u64 { Ok(()) } else { Err(in_flight()) }
}

fn in_flight() -> Error {
    Error::new(Code::IdempotencyInFlight, "A request with this Idempotency-Key is under way; send it again in a moment")
        .retry_after(std::time::Duration::from_secs(1))
}

/// Forgets up to `limit` answers whose time is over. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn prune(core: &Core, limit: i64) -> Result<u64> {
    let mut tx = core.db.begin(crate::Caller::Worker).await?;
    let pruned = store::prune(&mut tx, core.clock.now(), limit).await?;
    tx.commit().await?;
    Ok(pruned)
}
