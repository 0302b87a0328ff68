//! Finding proposals.

use kernel::{
    caller::{Authorized, allow},
    error::{Code, Codes, Error, Result},
    ids::ProjectId,
    page::{Page, PageRequest},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    errors::ENTRY_ERRORS,
    model::{Proposal, ProposalFilter},
    store::{self, proposals::Selection},
    vault::Vault,
};

/// The codes of [`proposals`].
pub const PROPOSALS_ERRORS: Codes = &[ENTRY_ERRORS];
/// The codes of [`proposal`].
pub const PROPOSAL_ERRORS: Codes = &[ENTRY_ERRORS, &[Code::NotFound]];

/// Returns the project's proposals, newest first.
///
/// # Errors
/// [`PROPOSALS_ERRORS`].
pub async fn proposals(
    vault: &Vault,
    by: &Authorized<allow::VaultRead>,
    filter: ProposalFilter,
    page: PageRequest,
) -> Result<Page<Proposal>> {
    // Cursors of pages are UUIDs; these hold an index.
    let before = page.before.map(|before| i64::try_from(before.as_u128()).unwrap_or(i64::MAX));
    let (now, limit) = (vault.core.clock.now(), page.fetch());
    let selection = Selection { open: filter.open, now, before, limit };
    let read = vault.core.read(by, async |tx| Ok(store::proposals::list(tx, by.project, selection).await?));
    let proposals = read.await?.into_iter().map(Proposal::try_from).collect::<Result<Vec<_>>>()?;
    Ok(page.page(proposals, |proposal| Uuid::from_u128(proposal.seal.index.into())))
}

/// Returns the proposal at `index`, with its decision.
///
/// # Errors
/// [`PROPOSAL_ERRORS`].
pub async fn proposal(vault: &Vault, by: &Authorized<allow::VaultRead>, index: u64) -> Result<Proposal> {
    vault.core.read(by, async |tx| find(tx, by.project, index).await).await
}

/// Finds the proposal at `index` in the caller's transaction.
pub(super) async fn find(tx: &mut PgConnection, project: ProjectId, index: u64) -> Result<Proposal> {
    let none = || Error::not_found(format!("proposal {index}"));
    i64::try_from(index).map_err(|_| none())?;
    store::proposals::find(tx, project, index).await?.ok_or_else(none)?.try_into()
}
