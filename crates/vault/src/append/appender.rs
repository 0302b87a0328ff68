//! The queue for the requests of one replica.

use kernel::{
    answer::{Answer, Resource},
    batch::Batcher,
    caller::{Authorized, allow},
    checks::LINE_ERRORS,
    error::{Code, Codes, Result},
};

use super::batch::{Append, Appends, Done};
use crate::{
    draft::{self, Draft},
    errors::SIGN_ERRORS,
    ledger::prove_again,
    model::{Appended, NewSeal, NewSeals, Sealed, SealedBatch},
    vault::Vault,
};

/// The codes of a seal.
const SEAL_ERRORS: &[Code] =
    &[Code::AmbiguousJson, Code::MissingField, Code::TtlOutOfRange, Code::ValidationFailed];

/// The codes of [`Appender::append_one`].
pub const APPEND_ONE_ERRORS: Codes = &[LINE_ERRORS, SEAL_ERRORS, SIGN_ERRORS, &[Code::SizeMismatch]];
/// The codes of [`Appender::append`].
pub const APPEND_ERRORS: Codes =
    &[LINE_ERRORS, SEAL_ERRORS, SIGN_ERRORS, &[Code::SizeMismatch, Code::OutOfRange]];

/// The queue for the requests of one replica. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Appender {
    vault: Vault,
    batcher: Batcher<Appends>,
}

impl Appender {
    /// Creates an empty queue.
    pub fn new(vault: Vault) -> Self {
        Self { batcher: Batcher::new(Appends::new(vault.clone())), vault }
    }

    /// Appends several seals, together with what other requests append to the same log.
    ///
    /// # Errors
    /// [`APPEND_ERRORS`]; `Overloaded` when too much waits; `Unavailable` when the outcome is
    /// unknown: the same request with the same `Idempotency-Key` tells it.
    pub async fn append(
        &self,
        by: &Authorized<allow::VaultWrite>,
        new: &NewSeals,
    ) -> Result<Answer<SealedBatch>> {
        let seals = draft::check_all(&self.vault.core.ids, by.actor, new)?;
        self.submit(by, seals, new.expected_size, |appended| Ok(appended.batch())).await
    }

    /// Runs [`Appender::append`] for one seal.
    ///
    /// # Errors
    /// [`APPEND_ONE_ERRORS`], as [`Appender::append`].
    pub async fn append_one(
        &self,
        by: &Authorized<allow::VaultWrite>,
        new: &NewSeal,
    ) -> Result<Answer<Sealed>> {
        let seals = vec![draft::check(&self.vault.core.ids, by.actor, new, "")?];
        self.submit(by, seals, new.expected_size, Appended::one).await
    }

    async fn submit<T: Resource>(
        &self,
        by: &Authorized<allow::VaultWrite>,
        seals: Vec<Draft>,
        expected_size: Option<u64>,
        show: impl Fn(&Appended) -> Result<T>,
    ) -> Result<Answer<T>> {
        let append = Append { by: by.clone(), seals, expected_size };
        match self.batcher.submit(by.project, append).await? {
            Done::Now { signed, seals } => Answer::created(&show(&signed.prove(seals)?)?),
            Done::Before(pointer) => {
                let appended = prove_again(&self.vault, by.project, pointer).await?;
                Ok(Answer::created(&show(&appended)?)?.again())
            }
        }
    }
}
