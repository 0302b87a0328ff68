//! Listing the registry.

use kernel::{
    Core,
    caller::{Authorized, allow},
    error::Result,
    page::{Page, PageRequest},
};

use super::{model::Agent, store};

/// Lists the project's agents, newest first.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn list(core: &Core, by: &Authorized<allow::AgentsRead>, page: PageRequest) -> Result<Page<Agent>> {
    let agents =
        core.read(by, async |tx| Ok(store::list(tx, by.project, page.before, page.fetch()).await?)).await?;
    Ok(page.page(agents, |agent| agent.id.uuid()))
}
