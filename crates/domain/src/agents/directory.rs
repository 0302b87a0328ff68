//! Looking agents up: those of one project that are asked for while a look-up is under way are found by the next one, together.

use std::{collections::HashMap, sync::Arc};

use super::{Agent, store};
use kernel::{
    Db,
    batch::{Batch, Batcher, Gathered},
    caller::{Permission, Principal},
    crypto::Did,
    db::Caller,
    error::{Error, Result},
    ids::ProjectId,
};

/// Finds agents by their DIDs. Cloning shares the look-ups.
#[derive(Debug, Clone)]
pub struct Directory(Batcher<LookUp>);

impl Directory {
    /// Of the agents in `db`.
    pub fn new(db: Db) -> Self {
        Self(Batcher::new(LookUp(db)))
    }

    /// The agent of that DID, as it is after the call was made: nobody is given what was read before they asked.
    ///
    /// # Errors
    /// [`Code::PermissionMissing`](kernel::Code::PermissionMissing); [`Code::NotFound`](kernel::Code::NotFound); those of the database.
    pub async fn get(&self, by: &Principal, did: &Did) -> Result<Arc<Agent>> {
        by.require(Permission::AgentsRead)?;
        let agent = self.0.submit(by.project, did.clone()).await?;
        agent.ok_or_else(|| Error::not_found(format!("agent {did}")))
    }
}

/// The agents of one project and of some DIDs, in one transaction of that project's.
struct LookUp(Db);

impl Batch for LookUp {
    type Key = ProjectId;
    type Item = Did;
    type Answer = Option<Arc<Agent>>;
    const BATCH: usize = 256;
    /// More than the requests that are worked on at once, each of which waits for one.
    const QUEUE: usize = 4_096;

    async fn run(&self, project: ProjectId, dids: &mut Gathered<'_, Self>) -> Result<Vec<Result<Self::Answer>>> {
        let mut tx = self.0.begin(Caller::Project(project)).await?;
        dids.more(|_| true);
        let dids = dids.items();
        let found = store::find_all(&mut tx, project, dids).await?;
        tx.commit().await?;
        let found: HashMap<Did, Arc<Agent>> =
            found.into_iter().map(|agent| (agent.did.clone(), Arc::new(agent))).collect();
        Ok(dids.iter().map(|did| Ok(found.get(did).cloned())).collect())
    }
}
