//! A request that has an `Idempotency-Key`.

use uuid::Uuid;

use crate::{
    Core,
    caller::{Actor, Caller, IdempotencyKey},
    crypto::{Place, sha256},
    error::{Code, Error, Result},
};

/// The purpose of the key that encrypts responses.
const RESPONSE: &str = "idempotency.response";
/// The purpose of the key that digests requests.
const REQUEST: &str = "idempotency.request";

/// A request with an `Idempotency-Key`, which is valid for its caller alone.
#[derive(Debug, Clone)]
pub struct KeyedRequest<'a> {
    pub(super) tenant: Uuid,
    pub(super) key_digest: [u8; 32],
    key: &'a IdempotencyKey,
}

impl<'a> KeyedRequest<'a> {
    /// Returns the caller's request, if it has a key.
    pub fn of(caller: &Caller<'a>) -> Option<Self> {
        let key = caller.request.idempotency_key.as_ref()?;
        Some(Self::new(caller.scope.tenant(), caller.by.actor, key))
    }

    /// Returns the request of `actor`, whose keys are stored under `tenant`: the project, or the
    /// person where there is none.
    pub fn new(tenant: Uuid, actor: Actor, key: &'a IdempotencyKey) -> Self {
        Self { tenant, key_digest: sha256(format!("{actor}\n{}", key.key).as_bytes()), key }
    }

    /// Returns the id of the advisory lock that serializes requests with this key. On a collision
    /// one of them is told to try again.
    pub(super) fn lock(&self) -> i64 {
        self.key_digest.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
    }

    /// Returns the digest under which the request is stored.
    pub(super) fn fingerprint(&self, core: &Core) -> [u8; 32] {
        core.secrets.mac(REQUEST).tag(&self.key.fingerprint)
    }

    pub(super) fn encrypt(&self, core: &Core, response: &[u8]) -> Result<Vec<u8>> {
        core.secrets.encrypt(&core.ids, self.place(), response)
    }

    /// Returns the first response, from its record.
    ///
    /// # Errors
    /// [`Code::IdempotencyKeyReused`] when the record is of another request, or can no longer be
    /// read.
    pub(super) fn open(&self, core: &Core, fingerprint: &[u8], response: &[u8]) -> Result<Vec<u8>> {
        if !core.secrets.mac(REQUEST).verify(&self.key.fingerprint, fingerprint) {
            let detail =
                "This Idempotency-Key was used for another request in the last 24 hours; use a new one";
            return Err(Error::new(Code::IdempotencyKeyReused, detail));
        }
        core.secrets.decrypt(self.place(), response).ok_or_else(|| {
            let detail = "The first response to this Idempotency-Key can no longer be read; look up what it \
                did, and use a new key";
            Error::new(Code::IdempotencyKeyReused, detail)
        })
    }

    fn place(&self) -> Place<'_> {
        Place { tenant: self.tenant, purpose: RESPONSE, row: &self.key_digest }
    }
}
