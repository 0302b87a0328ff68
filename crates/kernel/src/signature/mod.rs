//! HTTP message signatures (RFC 9421) by agents: what a request must carry, and that nobody sends it twice.
//!
//! The order is that of trust: [`Signature::parse`] reads the headers, [`Signature::check`] refuses what covers too little or is
//! stale, the caller looks the key up, and [`Signature::verify`] makes a [`Proof`]. A use case that changes something
//! [`spend`]s the proof in its own transaction, so a replay and its original cannot both commit.
//!
//! `sfv` parses and writes the structured fields; the signature base is built here, because Holdfast stores it: the recipient of an
//! intent verifies the sender with it.

mod base;
mod digest;
mod store;

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use base::{Component, Fields};
pub use base::{Headers, Origin, RequestParts};
pub use digest::{check_content_digest, digest_missing};

use crate::{
    Caller, Core,
    clock::Timestamp,
    crypto::{Did, PublicKey, sha256},
    error::{Code, Error, Result},
    idempotency::{self, Once},
    ids::ProjectId,
    text::excerpt,
};

/// How far `created` may lie from our clock, either way.
pub const MAX_SKEW: Duration = Duration::from_secs(60);
/// How long a spent nonce is kept: longer than any signature that carries it stays acceptable.
const NONCE_LIFE: TimeDelta = TimeDelta::seconds(300);
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// A signature as its headers state it; nothing of it is trusted yet.
#[derive(Debug, Clone)]
pub struct Signature {
    did: Did,
    components: Vec<Component>,
    created: Timestamp,
    expires: Option<Timestamp>,
    nonce: String,
    /// The value of the `@signature-params` line.
    params_line: String,
    signature: Vec<u8>,
}

/// That a DID's key signed this very request. Made only by [`Signature::verify`].
#[derive(Debug, Clone)]
pub struct Proof {
    /// The signing agent's DID.
    pub did: Did,
    /// The key it verified under.
    pub public_key: PublicKey,
    /// The signature base, ASCII.
    pub base: String,
    /// The 64 bytes.
    pub signature: Vec<u8>,
    /// Whether the base holds a header that is a secret, such as an API key: then nobody else may see it.
    pub covers_secrets: bool,
    nonce: String,
    created: Timestamp,
}

impl Proof {
    /// By key and not by project: a signature seen in one project is spent in every other, where its agent may be registered too.
    fn nonce_digest(&self) -> [u8; 32] {
        sha256(&[self.public_key.as_bytes(), self.nonce.as_bytes()].concat())
    }
}

impl Signature {
    /// Reads the one signature whose `keyid` is a DID from `Signature-Input` and `Signature`; others, of proxies say, are left alone.
    ///
    /// # Errors
    /// [`Code::SignatureMissing`], [`Code::SignatureMalformed`].
    pub fn parse(request: &RequestParts<'_>) -> Result<Self> {
        let fields = Fields::read(request)?;
        let did = fields.keyid()?.parse::<Did>().map_err(|error| malformed(format!("`keyid` {error}")))?;
        let created = fields.time("created")?.ok_or_else(|| malformed("`created` is missing"))?;
        let nonce = fields.text("nonce")?.ok_or_else(|| malformed("`nonce` is missing"))?;
        if !NONCE_LENGTH.contains(&nonce.len()) {
            return Err(malformed("`nonce` must have 8 to 128 characters"));
        }
        if let Some(algorithm) = fields.text("alg")?.filter(|algorithm| *algorithm != "ed25519") {
            return Err(malformed(format!("`alg` must be \"ed25519\", was \"{}\"", excerpt(algorithm, 32))));
        }
        Ok(Self {
            did,
            components: fields.components()?,
            created,
            expires: fields.time("expires")?,
            nonce: nonce.to_owned(),
            params_line: fields.params_line(),
            signature: fields.signature,
        })
    }

    /// Who claims to have signed.
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// Refuses a signature that binds too little of the request, or that was not made just now.
    ///
    /// # Errors
    /// [`Code::SignatureCoverage`], [`Code::SignatureStale`].
    pub fn check(&self, request: &RequestParts<'_>, now: Timestamp) -> Result<()> {
        base::check_coverage(&self.components, request)?;
        let skew = TimeDelta::from_std(MAX_SKEW).unwrap_or(TimeDelta::MAX);
        if (now - self.created).abs() > skew {
            let detail = format!(
                "`created` must be within {} seconds of our clock, which reads {}",
                MAX_SKEW.as_secs(),
                now.timestamp()
            );
            return Err(Error::new(Code::SignatureStale, detail));
        }
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(Error::new(Code::SignatureStale, "`expires` has passed: sign the request anew"));
        }
        Ok(())
    }

    /// Verifies under `key`, strictly (RFC 8032, without malleable encodings).
    ///
    /// # Errors
    /// [`Code::SignatureInvalid`]; [`Code::SignatureMalformed`] when a covered component is not in the request.
    pub fn verify(&self, request: &RequestParts<'_>, key: &PublicKey) -> Result<Proof> {
        let base = base::build(&self.components, &self.params_line, request)?;
        if !key.verifies(base.as_bytes(), &self.signature) {
            let detail = format!(
                "The signature does not verify under the key of {}; compare this signature base with yours: {}",
                self.did,
                excerpt(&base.replace('\n', " | "), 600)
            );
            return Err(Error::new(Code::SignatureInvalid, detail));
        }
        Ok(Proof {
            did: self.did.clone(),
            public_key: *key,
            base,
            signature: self.signature.clone(),
            covers_secrets: base::covers_secrets(&self.components),
            nonce: self.nonce.clone(),
            created: self.created,
        })
    }
}

/// Uses the proof's nonce up, in the transaction of what the request does.
///
/// # Errors
/// [`Code::NonceReplayed`] when it was used before, on whichever replica; those of the database.
pub async fn spend(tx: &mut PgConnection, project: ProjectId, proof: &Proof) -> Result<()> {
    let fresh = store::insert_nonce(tx, project, &proof.nonce_digest(), proof.created + NONCE_LIFE).await?;
    if fresh { Ok(()) } else { Err(replayed()) }
}

/// [`spend`]s the nonces of many requests of one project, in one round trip.
///
/// # Errors
/// Those of the database; [`Code::NonceReplayed`] is each proof's own.
pub async fn spend_all(tx: &mut PgConnection, project: ProjectId, proofs: &[&Proof]) -> Result<Vec<Result<()>>> {
    if proofs.is_empty() {
        return Ok(Vec::new());
    }
    let digests: Vec<[u8; 32]> = proofs.iter().map(|proof| proof.nonce_digest()).collect();
    let slices: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
    let ends: Vec<Timestamp> = proofs.iter().map(|proof| proof.created + NONCE_LIFE).collect();
    // Each is taken out by the first that has it: of two with one nonce the second is a replay.
    let mut fresh: HashSet<Vec<u8>> = store::insert_nonces(tx, project, &slices, &ends).await?.into_iter().collect();
    Ok(digests.iter().map(|digest| if fresh.remove(digest.as_slice()) { Ok(()) } else { Err(replayed()) }).collect())
}

fn replayed() -> Error {
    Error::new(Code::NonceReplayed, "This signature's nonce was used before: sign the request anew, with a new nonce")
}

/// [`spend`]s the nonce of a request that may come twice, byte for byte: the second time its first answer is given, and nothing is to be done.
///
/// # Errors
/// As [`spend`] and [`Once::claim`].
pub async fn spend_once<T: DeserializeOwned>(
    tx: &mut PgConnection,
    core: &Core,
    project: ProjectId,
    proof: &Proof,
    once: Option<&Once>,
) -> Result<Option<T>> {
    // The answer comes before the nonce: a request that is repeated as it was brings the same one.
    if let Some(first) = idempotency::claim(once, tx, core).await? {
        return Ok(Some(first));
    }
    match spend(tx, project, proof).await {
        // The first one may have been committed after the claim looked, and before the nonce was.
        Err(replayed) if replayed.code() == Code::NonceReplayed => {
            idempotency::claim(once, tx, core).await?.map(Some).ok_or(replayed)
        }
        spent => spent.map(|()| None),
    }
}

/// Forgets nonces whose signatures are too old to be accepted. Returns how many, at most `limit`.
///
/// # Errors
/// Those of the database.
pub async fn prune_nonces(core: &Core, limit: i64) -> Result<u64> {
    let mut tx = core.db.begin(Caller::Worker).await?;
    let forgotten = store::delete_nonces(&mut tx, core.clock.now(), limit).await?;
    tx.commit().await?;
    Ok(forgotten)
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::SignatureMalformed, detail)
}
