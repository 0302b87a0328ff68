//! Reading the audit log.

use super::{Filter, store};
use crate::identity::organizations;
use kernel::audit::Event;
use kernel::{
    Core,
    caller::{Permission, Person},
    error::Result,
    ids::OrganizationId,
    page::{Page, PageRequest},
};

/// What was done in the organisation and its projects, newest first.
///
/// # Errors
/// Values that break a rule; [`Code::NotFound`](kernel::Code::NotFound), [`Code::PermissionMissing`](kernel::Code::PermissionMissing); those of the
/// database.
pub async fn of_organization(
    core: &Core,
    by: &Person,
    organization: OrganizationId,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<Event>> {
    filter.check()?;
    let (mut tx, _) = organizations::enter(core, by, organization, Permission::AuditRead).await?;
    let events = store::of_organization(&mut tx, organization, filter, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(events, |event| event.id.uuid()))
}

/// What concerns the person's own account, newest first.
///
/// # Errors
/// Values that break a rule; those of the database.
pub async fn of_person(core: &Core, by: &Person, filter: &Filter, page: PageRequest) -> Result<Page<Event>> {
    filter.check()?;
    let mut tx = core.db.begin(by.caller()).await?;
    let events = store::of_person(&mut tx, by.user, filter, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(events, |event| event.id.uuid()))
}
