//! Where a person is logged in.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use kernel::{
    Core,
    caller::Person,
    error::Result,
    ids::SessionId,
    page::{Page, PageRequest},
};

/// A login that still counts.
#[derive(Debug, Clone, Serialize, ToSchema, sqlx::FromRow)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// Whether it is the one that asks.
    #[sqlx(default)]
    pub current: bool,
    /// `password`, `passkey` or `email`.
    pub method: String,
    /// The address it was opened from.
    pub address: String,
    /// What the client said it was.
    pub user_agent: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last kept alive.
    pub last_used_at: DateTime<Utc>,
    /// When it ends, if it is not used again.
    pub expires_at: DateTime<Utc>,
}

/// The person's live sessions, newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(core: &Core, by: &Person, page: PageRequest) -> Result<Page<Session>> {
    let mut tx = core.db.begin(by.caller()).await?;
    let sessions = store::list(&mut tx, by.user, Some(core.clock.now()), page.before, page.fetch()).await?;
    tx.commit().await?;
    let mark = |session: Session| Session { current: session.id == by.session, ..session };
    Ok(page.page(sessions, |session| session.id.uuid()).map(mark))
}
