//! Look-up of agents: names of one project that are asked for while a look-up is under way are
//! looked up together by the next one.

use std::{collections::HashMap, sync::Arc};

use kernel::{
    Db, DbScope,
    batch::{Batch, Batcher, Gathered},
    caller::{Authorized, allow},
    error::{Code, Codes, Result},
    ids::ProjectId,
};

use super::{
    model::{Agent, AgentName},
    rules::unknown,
    store,
};

/// The codes of [`Directory::get`].
pub const GET_ERRORS: Codes = &[&[Code::NotFound]];

/// Finds agents by id or DID. Cloning shares the look-ups.
#[derive(Debug, Clone)]
pub struct Directory(Batcher<LookUp>);

impl Directory {
    /// Creates the directory of the agents in `db`.
    pub fn new(db: Db) -> Self {
        Self(Batcher::new(LookUp(db)))
    }

    /// Returns the agent as it is after the call was made: never as it was read before the call.
    ///
    /// # Errors
    /// [`GET_ERRORS`].
    pub async fn get(&self, by: &Authorized<allow::AgentsRead>, name: &AgentName) -> Result<Arc<Agent>> {
        let agent = self.0.submit(by.project, name.clone()).await?;
        agent.ok_or_else(|| unknown(name))
    }
}

/// Finds agents of one project, in one transaction of that project.
struct LookUp(Db);

impl Batch for LookUp {
    type Key = ProjectId;
    type Item = AgentName;
    type Answer = Option<Arc<Agent>>;
    const BATCH: usize = 256;
    /// More than the requests that are worked on at once, each of which waits for one.
    const QUEUE: usize = 4_096;

    async fn run(
        &self,
        project: ProjectId,
        names: &mut Gathered<'_, Self>,
    ) -> Result<Vec<Result<Self::Answer>>> {
        let mut tx = self.0.begin(DbScope::Project(project)).await?;
        names.more(|_| true);
        let names = names.items();
        let found = store::find_all(&mut tx, project, names).await?;
        tx.commit().await?;
        let mut by_name = HashMap::with_capacity(found.len() * 2);
        for agent in found.into_iter().map(Arc::new) {
            by_name.insert(AgentName::Did(agent.did.clone()), Arc::clone(&agent));
            by_name.insert(AgentName::Id(agent.id), agent);
        }
        Ok(names.iter().map(|name| Ok(by_name.get(name).cloned())).collect())
    }
}
