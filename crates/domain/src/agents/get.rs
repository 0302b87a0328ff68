//! Reading the registry.

use super::{Agent, store};
use crate::{
    Core,
    crypto::Did,
    error::{Error, Result},
    identity::{Permission, Principal},
    page::{Page, PageRequest},
};

/// The agent of that DID.
///
/// # Errors
/// [`Code::PermissionMissing`](crate::Code::PermissionMissing); [`Code::NotFound`](crate::Code::NotFound); those of the database.
pub async fn get(core: &Core, by: &Principal, did: &Did) -> Result<Agent> {
    by.require(Permission::AgentsRead)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let agent = store::find(&mut tx, by.project, did).await?;
    tx.commit().await?;
    agent.ok_or_else(|| Error::not_found(format!("agent {did}")))
}

/// The project's agents, newest first.
///
/// # Errors
/// [`Code::PermissionMissing`](crate::Code::PermissionMissing); those of the database.
pub async fn list(core: &Core, by: &Principal, page: PageRequest) -> Result<Page<Agent>> {
    by.require(Permission::AgentsRead)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let agents = store::list(&mut tx, by.project, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(agents, |agent| agent.id.uuid()))
}
