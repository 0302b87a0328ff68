//! Finding seals.

use kernel::{
    caller::{Authorized, allow},
    checks::{Checks, TEXT_ERRORS},
    error::{Code, Codes, Error, Result},
    ids::ProjectId,
    page::{Page, PageRequest},
};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    convert::unsigned,
    errors::{ENTRY_ERRORS, no_seal},
    model::{Counts, EncryptedPersonal, Filter, PersonalData, Seal, SealInFull, Tally},
    personal::Owner,
    store::{self, filter},
    vault::Vault,
};

/// The most seals that a filtered count looks at.
const MAX_COUNTED: i64 = 100_000;

/// The codes of [`list`].
pub const LIST_ERRORS: Codes = &[TEXT_ERRORS, ENTRY_ERRORS, &[Code::OutOfRange]];
/// The codes of [`count`].
pub const COUNT_ERRORS: Codes = &[TEXT_ERRORS, &[Code::OutOfRange]];
/// The codes of [`get`].
pub const GET_ERRORS: Codes = &[ENTRY_ERRORS, &[Code::NotFound]];

/// Returns the project's seals, newest first.
///
/// # Errors
/// [`LIST_ERRORS`].
pub async fn list(
    vault: &Vault,
    by: &Authorized<allow::VaultRead>,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<Seal>> {
    check(filter)?;
    // Cursors of pages are UUIDs; these hold an index.
    let before = page.before.map(|before| i64::try_from(before.as_u128()).unwrap_or(i64::MAX));
    let read =
        vault.core.read(by, async |tx| Ok(filter::list(tx, by.project, filter, before, page.fetch()).await?));
    let seals = read.await?.into_iter().map(Seal::try_from).collect::<Result<Vec<_>>>()?;
    Ok(page.page(seals, |seal| Uuid::from_u128(seal.index.into())))
}

/// Returns the number of seals with each verdict.
///
/// # Errors
/// [`COUNT_ERRORS`].
pub async fn count(vault: &Vault, by: &Authorized<allow::VaultRead>, filter: &Filter) -> Result<Tally> {
    check(filter)?;
    if is_empty(filter) {
        let read = vault.core.read(by, async |tx| Ok(store::seals::totals(tx, by.project).await?));
        let verdicts = read.await?.map(|totals| totals.0).unwrap_or_default();
        return Ok(Tally { total: verdicts.values().sum(), verdicts, complete: true });
    }
    let read = vault.core.read(by, async |tx| Ok(filter::counts(tx, by.project, filter, MAX_COUNTED).await?));
    let mut verdicts = Counts::new();
    for (verdict, count) in read.await? {
        let verdict = verdict.parse().map_err(Error::internal)?;
        verdicts.insert(verdict, unsigned(count)?);
    }
    let total = verdicts.values().sum();
    Ok(Tally { verdicts, total, complete: total < unsigned(MAX_COUNTED)? })
}

/// Returns one seal, with its personal data unless that was erased.
///
/// # Errors
/// [`GET_ERRORS`]: `LogDamaged` when the entry was changed; `Internal` when the personal data does
/// not decrypt.
pub async fn get(vault: &Vault, by: &Authorized<allow::VaultRead>, index: u64) -> Result<SealInFull> {
    i64::try_from(index).map_err(|_| no_seal(index))?;
    let read = vault.core.read(by, async |tx| {
        let row = store::seals::find(tx, by.project, index).await?.ok_or_else(|| no_seal(index))?;
        let seal = Seal::try_from(row)?;
        let encrypted = match seal.personal_sha256 {
            Some(_) => store::personal::of_seal(tx, by.project, index).await?,
            None => None,
        };
        Ok((seal, encrypted))
    });
    let (seal, encrypted) = read.await?;
    let personal = encrypted.map(|encrypted| decrypt(vault, by.project, index, &encrypted)).transpose()?;
    Ok(SealInFull { seal, personal })
}

fn decrypt(
    vault: &Vault,
    project: ProjectId,
    index: u64,
    encrypted: &EncryptedPersonal,
) -> Result<PersonalData> {
    let owner = Owner { project, subject: &encrypted.subject };
    let key = vault.key_wrap.unwrap(owner, &encrypted.wrapped)?;
    let personal = key.decrypt(index, &encrypted.ciphertext)?;
    let text = String::from_utf8(personal.text().to_vec()).map_err(Error::internal)?;
    let value = RawValue::from_string(text).map_err(Error::internal)?;
    Ok(PersonalData { value, salt: personal.salt() })
}

fn check(filter: &Filter) -> Result<()> {
    let mut checks = Checks::new();
    checks.optional_text("kind", filter.kind.as_deref(), 1..=64);
    checks.optional_text("actor", filter.actor.as_deref(), 1..=64);
    checks.optional_text("session_id", filter.session_id.as_deref(), 1..=128);
    checks.optional_text("subject", filter.subject.as_deref(), 1..=128);
    checks.optional_text("tag", filter.tag.as_deref(), 1..=64);
    if filter.from.zip(filter.to).is_some_and(|(from, to)| from > to) {
        checks.broken(Code::OutOfRange, "from", "must not be after `to`");
    }
    checks.finish()
}

fn is_empty(filter: &Filter) -> bool {
    let Filter { kind, verdict, actor, session_id, subject, tag, from, to } = filter;
    let texts = [kind, actor, session_id, subject, tag];
    texts.iter().all(|text| text.is_none()) && verdict.is_none() && from.or(*to).is_none()
}
