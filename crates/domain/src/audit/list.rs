//! Reading the audit log.

use kernel::{
    Core,
    audit::Event,
    caller::{Person, allow},
    checks::TEXT_ERRORS,
    error::{Code, Codes, Result},
    page::{Page, PageRequest},
};

use super::{model::Filter, store};
use crate::identity::organizations::{self, AsMember};

/// The codes of a [`Filter`] that breaks a rule.
pub const FILTER_ERRORS: Codes = &[TEXT_ERRORS, &[Code::OutOfRange]];

/// Lists what was done in the organization and its projects, newest first.
///
/// # Errors
/// [`FILTER_ERRORS`], [`MEMBER_ERRORS`](organizations::MEMBER_ERRORS).
pub async fn of_organization(
    core: &Core,
    by: &AsMember<allow::AuditRead>,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<Event>> {
    filter.check()?;
    let events = organizations::read(core, by, async |tx| {
        Ok(store::of_organization(tx, by.organization, filter, page.before, page.fetch()).await?)
    });
    Ok(page.page(events.await?, |event| event.id.uuid()))
}

/// Lists the events of the person's own account, newest first.
///
/// # Errors
/// [`FILTER_ERRORS`].
pub async fn of_person(core: &Core, by: &Person, filter: &Filter, page: PageRequest) -> Result<Page<Event>> {
    filter.check()?;
    let events =
        core.read(by, async |tx| Ok(store::of_person(tx, by.user, filter, page.before, page.fetch()).await?));
    Ok(page.page(events.await?, |event| event.id.uuid()))
}
