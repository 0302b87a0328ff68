//! Finding seals.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::FromRow;
use tlog_tiles::record_hash;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Vault, Verdict,
    entry::Tag,
    personal::whose,
    prove::{damaged, no_seal},
    read_store,
    store::unsigned,
};
use kernel::{
    caller::{Permission, Principal},
    checks::Checks,
    clock::Timestamp,
    crypto::hex,
    error::{Code, Error, Result},
    page::{Page, PageRequest},
};

/// How many seals a filtered count looks at.
const MOST_COUNTED: i64 = 100_000;

/// How many seals have each verdict.
pub type Counts = BTreeMap<Verdict, u64>;

/// Which seals are wanted; all of what is left out.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Of what kind.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub kind: Option<String>,
    /// With which verdict.
    #[param(inline)]
    pub verdict: Option<Verdict>,
    /// By whom: an identifier, or `system`.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub actor: Option<String>,
    /// Of which conversation or run.
    #[param(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$")]
    pub session_id: Option<String>,
    /// About whom or what.
    #[param(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$")]
    pub subject: Option<String>,
    /// With which tag.
    #[param(min_length = 1, max_length = 64, pattern = "^[^\\u0000]*$")]
    pub tag: Option<String>,
    /// From then on, RFC 3339.
    pub from: Option<DateTime<Utc>>,
    /// Before then, RFC 3339.
    pub to: Option<DateTime<Utc>>,
}

impl Filter {
    fn check(&self) -> Result<()> {
        let mut checks = Checks::new();
        checks.optional_text("kind", self.kind.as_deref(), 1..=64);
        checks.optional_text("actor", self.actor.as_deref(), 1..=64);
        checks.optional_text("session_id", self.session_id.as_deref(), 1..=128);
        checks.optional_text("subject", self.subject.as_deref(), 1..=128);
        checks.optional_text("tag", self.tag.as_deref(), 1..=64);
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            checks.broken(Code::OutOfRange, "from", "must not be after `to`");
        }
        checks.finish()
    }

    fn is_empty(&self) -> bool {
        let texts = [&self.kind, &self.actor, &self.session_id, &self.subject, &self.tag];
        texts.iter().all(|text| text.is_none()) && self.verdict.is_none() && self.from.or(self.to).is_none()
    }
}

/// A seal as the log has it: what its entry says, and its leaf.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Seal {
    /// Its place in the log.
    #[schema(minimum = 0)]
    pub index: u64,
    /// When it was sealed.
    pub at: DateTime<Utc>,
    /// By whom: an agent, an API key or a person by their identifier, or `system`.
    #[schema(max_length = 64)]
    pub actor: String,
    /// Of what kind.
    #[schema(max_length = 64)]
    pub kind: String,
    /// What it says.
    pub verdict: Verdict,
    /// What was sealed, in canonical form.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// The conversation or run it belongs to.
    #[schema(required = true, max_length = 128)]
    pub session_id: Option<String>,
    /// Whom or what it concerns.
    #[schema(required = true, max_length = 128)]
    pub subject: Option<String>,
    /// Words to find it by.
    #[schema(value_type = Vec<Tag>)]
    pub tags: Vec<String>,
    /// SHA-256 over salt and text of the personal data, in hexadecimal; null when it has none.
    #[schema(required = true, max_length = 64)]
    pub personal_sha256: Option<String>,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    pub leaf_hash: String,
}

/// One seal, with its personal data.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SealInFull {
    /// The seal.
    #[serde(flatten)]
    pub seal: Seal,
    /// Its personal data; null when it has none, or when it was erased.
    #[schema(required = true)]
    pub personal: Option<PersonalData>,
}

/// Personal data that has not been erased.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PersonalData {
    /// What was sealed, in canonical form.
    #[schema(value_type = serde_json::Value)]
    pub value: Box<RawValue>,
    /// 32 bytes in hexadecimal: SHA-256 over them and the canonical form of `value` is `personal_sha256`.
    #[schema(max_length = 64)]
    pub salt: String,
}

/// How many seals have each verdict.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Tally {
    /// By verdict; those that no seal has are left out.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    pub verdicts: Counts,
    /// Of how many seals these are.
    pub total: u64,
    /// Whether all that were wanted were counted: a filtered count looks at the newest 100,000.
    pub complete: bool,
}

/// A row of the log.
#[derive(FromRow)]
pub(super) struct Row {
    pub(super) index: i64,
    pub(super) leaf_hash: Vec<u8>,
    pub(super) entry: Vec<u8>,
}

/// What an entry says of itself.
#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) actor: String,
    pub(super) at: Timestamp,
    /// Of a proposal; those that were sealed before entries had it have none.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) index: u64,
    pub(super) kind: String,
    pub(super) payload: Box<RawValue>,
    pub(super) personal_sha256: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) subject: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) verdict: Verdict,
}

impl Row {
    /// What is shown is what the hashed bytes say, not what stands beside them.
    pub(super) fn seal(&self) -> Result<Seal> {
        if record_hash(&self.entry).0.as_slice() != self.leaf_hash.as_slice() {
            return Err(damaged(unsigned(self.index)?).because("the bytes have another leaf hash"));
        }
        let entry: Entry = serde_json::from_slice(&self.entry)
            .map_err(|error| Error::internal(format!("entry {} cannot be read: {error}", self.index)))?;
        if entry.index != unsigned(self.index)? {
            return Err(Error::internal(format!("entry {} says that it is {}", self.index, entry.index)));
        }
        Ok(Seal {
            index: entry.index,
            at: entry.at,
            actor: entry.actor,
            kind: entry.kind,
            verdict: entry.verdict,
            payload: entry.payload,
            session_id: entry.session_id,
            subject: entry.subject,
            tags: entry.tags,
            personal_sha256: entry.personal_sha256,
            leaf_hash: hex(&self.leaf_hash),
        })
    }
}

/// The project's seals, newest first.
///
/// # Errors
/// Values that break a rule; [`Code::PermissionMissing`]; those of the database.
pub async fn list(vault: &Vault, by: &Principal, filter: &Filter, page: PageRequest) -> Result<Page<Seal>> {
    by.require(Permission::VaultRead)?;
    filter.check()?;
    // Page cursors are UUIDs; ours carries the entry's index.
    let before = page.before.map(|before| i64::try_from(before.as_u128()).unwrap_or(i64::MAX));
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let rows = read_store::list(&mut tx, by.project, filter, before, page.fetch()).await?;
    tx.commit().await?;
    let seals = rows.iter().map(Row::seal).collect::<Result<Vec<_>>>()?;
    Ok(page.page(seals, |seal| Uuid::from_u128(seal.index.into())))
}

/// How many seals have each verdict.
///
/// # Errors
/// Values that break a rule; [`Code::PermissionMissing`]; those of the database.
pub async fn count(vault: &Vault, by: &Principal, filter: &Filter) -> Result<Tally> {
    by.require(Permission::VaultRead)?;
    filter.check()?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let (verdicts, complete) = if filter.is_empty() {
        (read_store::totals(&mut tx, by.project).await?.map(|totals| totals.0).unwrap_or_default(), true)
    } else {
        let rows = read_store::counts(&mut tx, by.project, filter, MOST_COUNTED).await?;
        let mut counts = Counts::new();
        for (verdict, count) in rows {
            let verdict = verdict.parse().map_err(Error::internal)?;
            counts.insert(verdict, unsigned(count)?);
        }
        let complete = counts.values().sum::<u64>() < unsigned(MOST_COUNTED)?;
        (counts, complete)
    };
    tx.commit().await?;
    Ok(Tally { total: verdicts.values().sum(), verdicts, complete })
}

/// One seal, with its personal data as long as it is not erased.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::PermissionMissing`]; those of the database.
pub async fn get(vault: &Vault, by: &Principal, index: u64) -> Result<SealInFull> {
    by.require(Permission::VaultRead)?;
    i64::try_from(index).map_err(|_| no_seal(index))?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let row = read_store::seal(&mut tx, by.project, index).await?.ok_or_else(|| no_seal(index))?;
    let seal = row.seal()?;
    let kept = match seal.personal_sha256 {
        Some(_) => read_store::personal(&mut tx, by.project, index).await?,
        None => None,
    };
    tx.commit().await?;
    let open = |(subject, wrapped, sealed): (String, Vec<u8>, Vec<u8>)| {
        let key = vault.keks.unwrap(&whose(by.project, &subject), &wrapped)?;
        let personal = key.open(index, &sealed)?;
        let text = String::from_utf8(personal.text().to_vec()).map_err(Error::internal)?;
        let value = RawValue::from_string(text).map_err(Error::internal)?;
        Ok::<_, Error>(PersonalData { value, salt: personal.salt() })
    };
    Ok(SealInFull { seal, personal: kept.map(open).transpose()? })
}
