//! Seals that other areas ask for: left in their own transaction, appended by the worker. A change
//! and its seal commit together, and no area holds a log's lock while doing something else.

use std::borrow::Cow;

use kernel::{
    DbScope, Unit,
    caller::{Actor, Caller},
    checks::Checks,
    error::{Code, Error, Result},
    ids::ProjectId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::{
    draft::{Draft, OwnSeal},
    format::json,
    jobs::DrainOutbox,
    ledger::Ledger,
    model::{MAX_PAYLOAD, MAX_SEALS, Verdict},
    store,
    vault::Vault,
};

/// A seal that an area of Holdfast asks for.
#[derive(Debug, Clone)]
pub struct OutboxSeal<'a> {
    /// The kind of thing that it records.
    pub kind: &'a str,
    /// The statement about that thing.
    pub verdict: Verdict,
    /// The person or thing that it concerns.
    pub subject: Option<String>,
    /// Any JSON.
    pub payload: &'a Value,
}

/// The seal as it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    kind: String,
    verdict: Verdict,
    subject: Option<String>,
    payload: Box<RawValue>,
}

/// Leaves a seal in the unit of work, to be appended to the project's log soon after the commit.
///
/// A seal that could not become an entry is refused here, because it would block all seals behind
/// it.
///
/// # Errors
/// `Internal` for a kind, subject or payload that no seal may have, and for `HOLD`, which is for
/// callers.
pub async fn put(unit: &mut Unit<'_>, project: ProjectId, seal: OutboxSeal<'_>) -> Result<()> {
    let text = String::from_utf8(json::canonical(seal.payload)?).map_err(Error::internal)?;
    check(&seal, &text)?;
    let payload = RawValue::from_string(text).map_err(Error::internal)?;
    let OutboxSeal { kind, verdict, subject, .. } = seal;
    let waiting = Waiting { kind: kind.to_owned(), verdict, subject, payload };
    let waiting = serde_json::to_string(&waiting).map_err(Error::internal)?;
    store::outbox::insert(unit, project, &waiting).await?;
    unit.enqueue(&DrainOutbox { project })
}

fn check(seal: &OutboxSeal<'_>, payload: &str) -> Result<()> {
    let mut checks = Checks::new();
    checks.line("kind", seal.kind, 1..=64);
    if let Some(subject) = &seal.subject {
        checks.line("subject", subject, 1..=128);
    }
    if seal.verdict == Verdict::Hold {
        checks.broken(Code::ValidationFailed, "verdict", "waits for a person, and nothing here would end it");
    }
    if payload.len() > MAX_PAYLOAD {
        checks.broken(Code::TooLong, "payload", format!("has {} bytes", payload.len()));
    }
    checks.keep("payload", Code::AmbiguousJson, json::parse(payload.as_bytes()));
    checks.finish().map_err(|error| Error::internal(format!("a seal for the outbox is malformed: {error}")))
}

/// Appends the waiting seals, in batches. The second of two concurrent calls finds nothing.
///
/// # Errors
/// [`Code::Overloaded`] when too many wait for the log; [`Code::LogBehind`].
pub async fn drain(vault: &Vault, project: ProjectId) -> Result<()> {
    loop {
        let by = Caller::system(DbScope::Job(project));
        let drained = Ledger::run(vault, by, async |ledger| {
            let waiting = store::outbox::list(ledger.unit(), project, MAX_SEALS).await?;
            let drafts = waiting.iter().map(|row| draft(&row.seal)).collect::<Result<Vec<_>>>()?;
            let request = ledger.unit().caller().request;
            ledger.push_all(drafts.into_iter().map(Cow::Owned), request)?;
            let ids: Vec<i64> = waiting.iter().map(|row| row.id).collect();
            if !ids.is_empty() {
                store::outbox::delete(ledger.unit(), &ids).await?;
            }
            Ok(ids.len())
        });
        if drained.await? < MAX_SEALS {
            return Ok(());
        }
    }
}

fn draft(seal: &str) -> Result<Draft> {
    let waiting: Waiting = serde_json::from_str(seal).map_err(Error::internal)?;
    let seal = OwnSeal {
        actor: Actor::System,
        kind: &waiting.kind,
        verdict: waiting.verdict,
        session_id: None,
        subject: waiting.subject,
    };
    Draft::own(seal, waiting.payload.get().as_bytes())
}
