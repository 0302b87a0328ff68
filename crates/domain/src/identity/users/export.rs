//! Everything that is kept of a person, for them to take along.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Account, store};
use crate::identity::sessions::{self, Session};
use kernel::{Core, audit, caller::Person, error::Result, ids::OrganizationId};

/// The most rows of each kind.
const MOST: i64 = 10_000;

/// What is kept of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// When it was put together.
    pub exported_at: DateTime<Utc>,
    /// The account.
    pub account: Account,
    /// Where they are a member.
    pub memberships: Vec<Membership>,
    /// Where they are and were logged in, as far as it is kept.
    pub sessions: Vec<Session>,
    /// Their passkeys, without key material.
    pub passkeys: Vec<Passkey>,
    /// What the audit log says of their account, newest first; at most 10,000 rows.
    pub events: Vec<Event>,
}

/// A membership.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct Membership {
    /// Of which organisation.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// As what.
    pub role: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A passkey.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct Passkey {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    #[schema(required = true)]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A row of the audit log.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: String,
    /// By whom.
    pub actor: String,
    /// To what.
    pub subject: String,
    /// From which address.
    #[schema(required = true)]
    pub address: Option<String>,
    /// By which client.
    #[schema(required = true)]
    pub user_agent: Option<String>,
}

/// Puts it together.
///
/// # Errors
/// Those of the database.
pub async fn export(core: &Core, by: &Person) -> Result<Export> {
    let now = core.clock.now();
    let mut tx = core.db.begin(by.caller()).await?;
    let account = store::find_account(&mut tx, by.user).await?.ok_or_else(super::profile::gone)?;
    let export = Export {
        exported_at: now,
        account,
        memberships: store::memberships(&mut tx, by.user, MOST).await?,
        sessions: sessions::store::list(&mut tx, by.user, None, None, MOST).await?,
        passkeys: store::passkeys(&mut tx, by.user, MOST).await?,
        events: store::events(&mut tx, by.user, MOST).await?,
    };
    audit::record(&mut tx, core, by, "user.exported", &by.user.to_string()).await?;
    tx.commit().await?;
    Ok(export)
}
