//! Seals that other areas want made: left in their own transaction, appended by the worker. So what they record and what they seal commit together,
//! and nobody holds a log's lock while doing something else.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sqlx::PgConnection;

use super::{
    Vault, Verdict, append,
    entry::{Draft, MAX_PAYLOAD},
    jobs::DrainOutbox,
    json,
    ledger::Ledger,
    new_seals::MAX_SEALS,
    store,
};
use kernel::{
    Core,
    caller::Actor,
    checks::Checks,
    db::Caller,
    error::{Code, Error, Result},
    ids::ProjectId,
    queue::enqueue,
};

/// What an area of ours has sealed, as it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    kind: String,
    verdict: Verdict,
    subject: Option<String>,
    payload: Box<RawValue>,
}

/// Leaves a seal in the caller's transaction, to be appended to the project's log soon after it commits.
///
/// What could not become an entry is refused here, so that whatever waits can be appended: a row that could not would keep all behind it waiting.
///
/// # Errors
/// A fault of the caller's: a kind, subject or payload that no seal may have, or `HOLD`, which only callers' seals are. Those of the database.
pub async fn put(
    tx: &mut PgConnection,
    core: &Core,
    project: ProjectId,
    kind: &str,
    verdict: Verdict,
    subject: Option<String>,
    payload: &Value,
) -> Result<()> {
    let text = String::from_utf8(json::canonical(payload)?).map_err(Error::internal)?;
    check(kind, verdict, subject.as_deref(), &text)?;
    let payload = RawValue::from_string(text).map_err(Error::internal)?;
    let seal = Waiting { kind: kind.to_owned(), verdict, subject, payload };
    store::insert_outbox(tx, project, &serde_json::to_string(&seal).map_err(Error::internal)?).await?;
    enqueue(tx, &DrainOutbox { project }, core.clock.now()).await
}

fn check(kind: &str, verdict: Verdict, subject: Option<&str>, payload: &str) -> Result<()> {
    let mut checks = Checks::new();
    checks.line("kind", kind, 1..=64);
    if let Some(subject) = subject {
        checks.line("subject", subject, 1..=128);
    }
    if verdict == Verdict::Hold {
        checks.broken(Code::ValidationFailed, "verdict", "waits for a person, and nothing here would end it");
    }
    if payload.len() > MAX_PAYLOAD {
        checks.broken(Code::TooLong, "payload", format!("has {} bytes", payload.len()));
    }
    checks.keep("payload", Code::AmbiguousJson, json::parse(payload.as_bytes()));
    checks.finish().map_err(|error| Error::internal(format!("no seal for the outbox: {error}")))
}

/// Appends what waits, in batches. Whoever comes second finds nothing.
///
/// # Errors
/// [`Code::Overloaded`] when too many wait for the log; those of the database.
pub async fn drain(vault: &Vault, project: ProjectId) -> Result<()> {
    loop {
        let _turn = vault.turns.take(project).await?;
        let mut tx = vault.core.db.begin(Caller::Job(project)).await?;
        let mut ledger = Ledger::lock(&mut tx, vault, project).await?;
        let waiting = store::outbox(&mut tx, project, MAX_SEALS).await?;
        let drafts = waiting.iter().map(|(_, seal)| draft(seal)).collect::<Result<Vec<_>>>()?;
        if drafts.is_empty() {
            return Ok(());
        }
        ledger.push_all(&drafts)?;
        let written = ledger.write(&mut tx).await?;
        let done: Vec<i64> = waiting.iter().map(|(id, _)| *id).collect();
        store::delete_outbox(&mut tx, &done).await?;
        append::commit(vault, tx, &written).await?;
        if done.len() < MAX_SEALS {
            return Ok(());
        }
    }
}

fn draft(seal: &str) -> Result<Draft> {
    let seal: Waiting = serde_json::from_str(seal).map_err(Error::internal)?;
    Draft::own(Actor::System, &seal.kind, seal.verdict, (None, seal.subject), seal.payload.get().as_bytes())
}
