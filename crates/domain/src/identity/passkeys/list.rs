//! A person's passkeys.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store;
use kernel::{
    Core, audit,
    caller::Person,
    error::{Code, Error, Result},
    ids::PasskeyId,
    page::{Page, PageRequest},
};

/// A passkey, as its holder sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
pub struct Passkey {
    /// Its identifier.
    pub id: PasskeyId,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last logged in with.
    #[schema(required = true)]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The person's passkeys, newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(core: &Core, by: &Person, page: PageRequest) -> Result<Page<Passkey>> {
    let mut tx = core.db.begin(by.caller()).await?;
    let passkeys = store::list(&mut tx, by.user, page.before, page.fetch()).await?;
    tx.commit().await?;
    Ok(page.page(passkeys, |passkey| passkey.id.uuid()))
}

/// Removes one: it can no longer be logged in with. Sessions that it opened go on.
///
/// # Errors
/// [`Code::NotFound`]; those of the database.
pub async fn remove(core: &Core, by: &Person, id: PasskeyId) -> Result<()> {
    let mut tx = core.db.begin(by.caller()).await?;
    if store::delete(&mut tx, by.user, id).await? == 0 {
        return Err(Error::new(Code::NotFound, "The person has no passkey of that id"));
    }
    audit::record(&mut tx, core, by, "passkey.removed", &id.to_string()).await?;
    tx.commit().await?;
    Ok(())
}
