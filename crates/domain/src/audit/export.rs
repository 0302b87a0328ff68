//! Exporting an organisation's audit log, a batch at a time: however slowly it is read, no transaction waits for that.

use uuid::Uuid;

use super::{Filter, store};
use crate::identity::organizations;
use kernel::audit::{Event, record};
use kernel::{
    Core,
    caller::{Permission, Person},
    error::Result,
    ids::OrganizationId,
};

/// How many events one transaction reads.
const BATCH: u16 = 1_000;

/// An export that was begun. What happens after that is not in it.
#[derive(Debug)]
pub struct Export {
    core: Core,
    by: Person,
    organization: OrganizationId,
    filter: Filter,
    before: Option<Uuid>,
}

impl Export {
    /// Begins an export of the events that `filter` wants; that it was begun is an event itself.
    ///
    /// # Errors
    /// Values that break a rule; [`Code::NotFound`](kernel::Code::NotFound), [`Code::PermissionMissing`](kernel::Code::PermissionMissing); those
    /// of the database.
    pub async fn begin(core: Core, by: Person, organization: OrganizationId, filter: Filter) -> Result<Self> {
        filter.check()?;
        let (mut tx, member) = organizations::enter(&core, &by, organization, Permission::AuditRead).await?;
        record(&mut tx, &core, &member, "audit.exported", &organization.to_string()).await?;
        tx.commit().await?;
        Ok(Self { core, by, organization, filter, before: None })
    }

    /// The next events, newest first; none at the end. Whoever may no longer read them gets no more.
    ///
    /// # Errors
    /// As [`Export::begin`].
    pub async fn next(&mut self) -> Result<Vec<Event>> {
        let (mut tx, _) = organizations::enter(&self.core, &self.by, self.organization, Permission::AuditRead).await?;
        let events =
            store::of_organization(&mut tx, self.organization, &self.filter, self.before, BATCH.into()).await?;
        tx.commit().await?;
        self.before = events.last().map(|event| event.id.uuid()).or(self.before);
        Ok(events)
    }
}
