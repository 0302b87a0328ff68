//! Export of an organization's audit log, a batch at a time, so that no transaction waits for a
//! slow reader.

use kernel::{
    Core,
    audit::{Change, Event},
    caller::allow,
    error::Result,
};
use uuid::Uuid;

use super::{model::Filter, store};
use crate::identity::organizations::{self, AsMember};

/// The number of events that one transaction reads.
const BATCH: u16 = 1_000;

/// An export that was begun. Later events are not in it.
#[derive(Debug)]
pub struct Export {
    core: Core,
    by: AsMember<allow::AuditRead>,
    filter: Filter,
    before: Option<Uuid>,
}

impl Export {
    /// Begins an export of the events that `filter` selects; its beginning is an event itself.
    ///
    /// # Errors
    /// [`FILTER_ERRORS`](super::FILTER_ERRORS), [`MEMBER_ERRORS`](organizations::MEMBER_ERRORS).
    pub async fn begin(core: Core, by: AsMember<allow::AuditRead>, filter: Filter) -> Result<Self> {
        filter.check()?;
        organizations::write(&core, &by, async |unit, _| {
            unit.audit("audit.exported", by.organization, Change::NONE);
            Ok(())
        })
        .await?;
        Ok(Self { core, by, filter, before: None })
    }

    /// Returns the next events, the newest first; none at the end. A person who may no longer read
    /// them gets no more.
    ///
    /// # Errors
    /// As [`Export::begin`].
    pub async fn next(&mut self) -> Result<Vec<Event>> {
        let Self { core, by, filter, before } = &*self;
        let events = organizations::read(core, by, async |tx| {
            Ok(store::of_organization(tx, by.organization, filter, *before, BATCH.into()).await?)
        })
        .await?;
        self.before = events.last().map(|event| event.id.uuid()).or(self.before);
        Ok(events)
    }
}
