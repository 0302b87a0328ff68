//! Seals that wait for a person: proposals, and the decisions that settle them. Both are in the log; what is kept beside it is the list of what is open.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Appended, Seal, Vault, Verdict,
    append::{self, Kept},
    entry::Draft,
    jobs::ExpireProposal,
    json,
    ledger::Ledger,
    list::Row,
    read_store, store,
};
use kernel::{
    audit,
    caller::{Actor, Permission, Principal},
    checks::Checks,
    clock::Timestamp,
    db::Caller,
    error::{Code, Error, Result},
    idempotency::{self, Once},
    page::{Page, PageRequest},
    queue::Outcome,
};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Decision {
    /// A person agreed.
    Approved,
    /// A person did not.
    Rejected,
    /// Nobody decided in time.
    Expired,
}

impl Decision {
    /// The kind of the seal that it is.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Decision::Approved => "proposal.approved",
            Decision::Rejected => "proposal.rejected",
            Decision::Expired => "proposal.expired",
        }
    }

    fn verdict(self) -> Verdict {
        match self {
            Decision::Approved => Verdict::Seal,
            Decision::Rejected | Decision::Expired => Verdict::Void,
        }
    }
}

/// Why a person decides as they do.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In their words; it is sealed with the decision.
    #[schema(min_length = 1, max_length = 2000, pattern = "^[^\\u0000]*$")]
    pub reason: String,
}

/// Which proposals are wanted.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProposalFilter {
    /// `true` for those that can be decided, `false` for those that no longer can; all when left out.
    pub open: Option<bool>,
}

/// A seal that waits for a person, or did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Proposal {
    /// The seal whose verdict is `HOLD`.
    #[serde(flatten)]
    pub seal: Seal,
    /// Until when it can be decided.
    pub expires_at: DateTime<Utc>,
    /// What was decided; null while it waits, and for the moment from its end until that is sealed.
    #[schema(required = true)]
    pub decision: Option<Decision>,
    /// The index of the seal that decided.
    #[schema(required = true, minimum = 0)]
    pub decided_by: Option<u64>,
}

#[derive(FromRow)]
pub(super) struct ProposalRow {
    #[sqlx(flatten)]
    pub(super) row: Row,
    pub(super) expires_at: Timestamp,
    pub(super) decision: Option<Decision>,
    pub(super) decided_by: Option<i64>,
}

impl TryFrom<ProposalRow> for Proposal {
    type Error = Error;

    fn try_from(row: ProposalRow) -> Result<Self> {
        let decided_by = row.decided_by.map(store::unsigned).transpose()?;
        Ok(Self { seal: row.row.seal()?, expires_at: row.expires_at, decision: row.decision, decided_by })
    }
}

/// The project's proposals, newest first.
///
/// # Errors
/// [`Code::PermissionMissing`]; those of the database.
pub async fn proposals(
    vault: &Vault,
    by: &Principal,
    filter: ProposalFilter,
    page: PageRequest,
) -> Result<Page<Proposal>> {
    by.require(Permission::VaultRead)?;
    let before = page.before.map(|before| i64::try_from(before.as_u128()).unwrap_or(i64::MAX));
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let rows =
        read_store::proposals(&mut tx, by.project, (filter.open, vault.core.clock.now()), before, page.fetch()).await?;
    tx.commit().await?;
    let proposals = rows.into_iter().map(Proposal::try_from).collect::<Result<Vec<_>>>()?;
    Ok(page.page(proposals, |proposal| Uuid::from_u128(proposal.seal.index.into())))
}

/// The proposal at `index`, and what became of it.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::PermissionMissing`]; those of the database.
pub async fn proposal(vault: &Vault, by: &Principal, index: u64) -> Result<Proposal> {
    by.require(Permission::VaultRead)?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let found = find(&mut tx, by, index).await?;
    tx.commit().await?;
    Ok(found)
}

/// Decides the proposal at `index`, for a person: seals the decision, and settles the proposal by it, in one commit.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::ProposalDecided`]; [`Code::Forbidden`] for whoever is no person, or proposed it themselves;
/// [`Code::PermissionMissing`]; [`Code::Overloaded`] when too many wait for the log; those of [`Once`] and of the database.
pub async fn decide(
    vault: &Vault,
    by: &Principal,
    index: u64,
    decision: Decision,
    reason: &Reason,
    once: Option<&Once>,
) -> Result<Appended> {
    by.require(Permission::VaultDecide)?;
    if !matches!(by.actor, Actor::Person(_)) {
        return Err(Error::new(Code::Forbidden, "A proposal waits for a person: send the access token of a login"));
    }
    let mut checks = Checks::new();
    checks.text("/reason", &reason.reason, 1..=2_000);
    checks.finish()?;
    let _turn = vault.turns.take(by.project).await?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    if let Some(first) = idempotency::claim::<Kept>(once, &mut tx, &vault.core).await? {
        drop(tx);
        return append::again(vault, by.project, first).await;
    }
    let mut ledger = Ledger::lock(&mut tx, vault, by.project).await?;
    let proposal = find(&mut tx, by, index).await?;
    if proposal.decision.is_some() || proposal.expires_at <= vault.core.clock.now() {
        let how = proposal.decision.unwrap_or(Decision::Expired);
        let how = how.kind().trim_start_matches("proposal.");
        return Err(Error::new(Code::ProposalDecided, format!("Proposal {index} is settled: it was {how}")));
    }
    if proposal.seal.actor == by.actor.to_string() {
        return Err(Error::new(Code::Forbidden, "Whoever proposed something cannot decide it; ask another person"));
    }
    let draft = decided(by.actor, decision, &proposal.seal, Some(&reason.reason))?;
    let placed = ledger.push(&draft)?;
    let written = ledger.write(&mut tx).await?;
    store::settle(&mut tx, by.project, index, placed.index, decision).await?;
    audit::record(&mut tx, &vault.core, by, decision.kind(), &format!("{}/{index}", by.project)).await?;
    idempotency::keep(once, &mut tx, &vault.core, &Kept::of(&placed, &written)).await?;
    append::commit(vault, tx, &written).await?;
    append::signed(vault, by.project, &written, vec![placed])
}

/// Seals as void what nobody decided in time. A proposal that was decided, or a job that runs twice, changes nothing; one that can still be decided is
/// come back to.
///
/// # Errors
/// [`Code::Overloaded`] when too many wait for the log; those of the database.
pub async fn expire(vault: &Vault, job: &ExpireProposal) -> Result<Outcome> {
    let by = Principal::system(job.project);
    let _turn = vault.turns.take(job.project).await?;
    let mut tx = vault.core.db.begin(Caller::Job(job.project)).await?;
    let mut ledger = Ledger::lock(&mut tx, vault, job.project).await?;
    let proposal = find(&mut tx, &by, job.proposal).await?;
    if proposal.decision.is_some() {
        return Ok(Outcome::Done);
    }
    if let Ok(early) = (proposal.expires_at - vault.core.clock.now()).to_std()
        && !early.is_zero()
    {
        return Ok(Outcome::Snooze(early));
    }
    let draft = decided(Actor::System, Decision::Expired, &proposal.seal, None)?;
    let placed = ledger.push(&draft)?;
    let written = ledger.write(&mut tx).await?;
    store::settle(&mut tx, job.project, job.proposal, placed.index, Decision::Expired).await?;
    let subject = format!("{}/{}", job.project, job.proposal);
    audit::record(&mut tx, &vault.core, &by, Decision::Expired.kind(), &subject).await?;
    append::commit(vault, tx, &written).await?;
    Ok(Outcome::Done)
}

async fn find(tx: &mut sqlx::PgConnection, by: &Principal, index: u64) -> Result<Proposal> {
    let none = || Error::not_found(format!("proposal {index}"));
    i64::try_from(index).map_err(|_| none())?;
    let row = read_store::proposal(tx, by.project, index).await?;
    row.ok_or_else(none)?.try_into()
}

fn decided(actor: Actor, decision: Decision, proposal: &Seal, reason: Option<&str>) -> Result<Draft> {
    let payload = serde_json::json!({"proposal": proposal.index, "leaf_hash": proposal.leaf_hash, "reason": reason});
    let about = (proposal.session_id.clone(), proposal.subject.clone());
    Draft::own(actor, decision.kind(), decision.verdict(), about, &json::canonical(&payload)?)
}
