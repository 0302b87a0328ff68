//! The limit on long polls that one agent may hold open at once, since the places are shared by
//! all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use kernel::ids::AgentId;

/// The most long polls of one agent: more than one with a handful of processes needs.
const PER_AGENT: usize = 8;

/// The long polls that wait in this process, by agent. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Polls(Arc<Mutex<HashMap<AgentId, usize>>>);

impl Polls {
    /// Returns a place to wait in, which is given back when it is dropped, or `None` when the agent
    /// holds as many as it may.
    pub fn enter(&self, agent: AgentId) -> Option<Place> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = waiting.entry(agent).or_default();
        if *held >= PER_AGENT {
            return None;
        }
        *held += 1;
        Some(Place { polls: self.clone(), agent })
    }
}

/// One long poll's place.
#[derive(Debug)]
pub struct Place {
    polls: Polls,
    agent: AgentId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.polls.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = waiting.get_mut(&self.agent) {
            *held -= 1;
            if *held == 0 {
                waiting.remove(&self.agent);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Clock, Ids};

    use super::*;

    #[test]
    fn an_agent_holds_so_many_places_and_leaves_the_others_theirs() {
        let (polls, ids) = (Polls::default(), Ids::new(Clock::system()));
        let (one, other): (AgentId, AgentId) = (ids.next(), ids.next());
        let mut held: Vec<_> = (0..PER_AGENT).map(|_| polls.enter(one).unwrap()).collect();
        assert!(polls.enter(one).is_none());
        assert!(polls.enter(other).is_some());
        held.pop();
        assert!(polls.enter(one).is_some());
        drop(held);
        assert!(polls.0.lock().unwrap().is_empty(), "agents that wait no more are remembered");
    }
}
