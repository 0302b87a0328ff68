//! The export of everything that is stored about a person.

use kernel::{Core, audit::Change, caller::Person, error::Result};

use super::{
    model::{Export, gone},
    store,
};
use crate::identity::sessions;

/// The most rows of each kind.
const MAX_ROWS: i64 = 10_000;

/// Builds the export.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn export(core: &Core, by: &Person) -> Result<Export> {
    core.write(by, async |unit| {
        let account = store::find_account(unit, by.user).await?.ok_or_else(gone)?;
        let export = Export {
            exported_at: unit.now(),
            account,
            memberships: store::find_memberships(unit, by.user, MAX_ROWS).await?,
            sessions: sessions::find_all_of(unit, by.user, MAX_ROWS).await?,
            passkeys: store::find_passkeys(unit, by.user, MAX_ROWS).await?,
            events: store::find_events(unit, by.user, MAX_ROWS).await?,
        };
        unit.audit("user.exported", by.user, Change::NONE);
        Ok(export)
    })
    .await
}
