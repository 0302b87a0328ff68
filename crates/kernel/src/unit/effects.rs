//! Everything that a unit of work has collected, beside the rows that it wrote itself.

use crate::{
    audit::NewEvent,
    ports::{Credential, Topic},
    queue::NewJob,
};

/// Rows that are yet to be inserted, and what follows the commit.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) events: Vec<NewEvent>,
    pub(super) jobs: Vec<NewJob>,
    pub(super) topics: Vec<Topic>,
    pub(super) credentials: Vec<Credential>,
}

impl Effects {
    /// Adds a topic to those that are notified, once.
    pub(super) fn wake(&mut self, topic: Topic) {
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }
}
