//! Reading projects.

use kernel::{
    Core,
    caller::{Authorized, allow},
    error::Result,
    page::{Page, PageRequest},
};

use super::{
    model::{Project, unknown},
    store,
};
use crate::identity::organizations::membership::{AsMember, read};

/// Returns the project that the caller is in.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn get(core: &Core, by: &Authorized<allow::ProjectRead>) -> Result<Project> {
    core.read(by, async |tx| store::find(tx, by.project).await?.ok_or_else(unknown)).await
}

/// Lists the organization's projects, newest first.
///
/// # Errors
/// [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn list(
    core: &Core,
    by: &AsMember<allow::ProjectRead>,
    page: PageRequest,
) -> Result<Page<Project>> {
    let found =
        read(core, by, async |tx| Ok(store::list(tx, by.organization, page.before, page.fetch()).await?));
    Ok(page.page(found.await?, |project| project.id.uuid()))
}
