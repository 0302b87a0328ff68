//! Reading, checking and verifying a signature.

use std::time::Duration;

use chrono::TimeDelta;

use super::base::{self, Component, Fields, RequestParts, malformed};
use crate::{
    clock::Timestamp,
    crypto::{Did, PublicKey, sha256},
    error::{Code, Error, Result},
    text::excerpt,
};

/// The most that `created` may differ from our clock, either way.
pub const MAX_SKEW: Duration = Duration::from_secs(60);
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

/// The proof that a DID's key signed this very request. Made only by [`Signature::verify`].
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
    /// True when the base holds a header that is a secret, such as an API key: then nobody else may
    /// see it.
    pub covers_secrets: bool,
    nonce: String,
    created: Timestamp,
}

impl Proof {
    /// Returns the digest by which the nonce is remembered. It is by key and not by project: a
    /// signature seen in one project is used up in every other, where its agent may be registered
    /// too.
    pub(super) fn nonce_digest(&self) -> [u8; 32] {
        sha256(&[self.public_key.as_bytes(), self.nonce.as_bytes()].concat())
    }

    /// Returns when the signature was made, as the signer states it.
    pub(super) fn created(&self) -> Timestamp {
        self.created
    }
}

impl Signature {
    /// Reads the one signature whose `keyid` is a DID from `Signature-Input` and `Signature`;
    /// ignores others, such as those of proxies.
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

    /// Returns the DID that claims to have signed.
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
    /// [`Code::SignatureInvalid`]; [`Code::SignatureMalformed`] when a covered component is not in
    /// the request.
    pub fn verify(&self, request: &RequestParts<'_>, key: &PublicKey) -> Result<Proof> {
        let base = base::build(&self.components, &self.params_line, request)?;
        if !key.verifies(base.as_bytes(), &self.signature) {
            let detail = format!(
                "The signature does not verify under the key of {}; compare this signature base with yours: \
                {}",
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
