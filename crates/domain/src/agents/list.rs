//! Listing the registry.

use super::{Agent, store};
use kernel::{
    Core,
    caller::{Permission, Principal},
    error::Result,
    page::{Page, PageRequest},
};

/// The project's agents, newest first.
///
/// # Errors
/// [`Code::PermissionMissing`](kernel::Code::PermissionMissing); those of the database.
pub async fn list(core: &Core, by: &Principal, page: PageRequest) -> Result<Page<Agent>> {
    by.require(Permission::AgentsRead)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let agents = store::list(&mut tx, by.project, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(agents, |agent| agent.id.uuid()))
}
