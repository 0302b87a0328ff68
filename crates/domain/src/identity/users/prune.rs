//! Pruning of sessions, tokens and ceremonies that have ended.

use chrono::TimeDelta;
use kernel::{Core, DbScope, caller::Caller, error::Result};

use crate::identity::{mail_tokens, passkeys, sessions};

/// The time for which ended sessions are kept, so that a rotated token is recognized when it comes
/// back.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Deletes up to `limit` each of: sessions that ended long ago; refresh tokens, mailed tokens and
/// passkey ceremonies that have expired. Returns the largest of these numbers.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn prune(core: &Core, limit: i64) -> Result<u64> {
    core.write(Caller::system(DbScope::Worker), async |unit| {
        let now = unit.now();
        let sessions = sessions::prune(unit, now - RETENTION, limit).await?;
        let refresh_tokens = sessions::prune_tokens(unit, now, limit).await?;
        let mail_tokens = mail_tokens::prune(unit, now, limit).await?;
        let ceremonies = passkeys::prune_ceremonies(unit, now, limit).await?;
        Ok(sessions.max(refresh_tokens).max(mail_tokens).max(ceremonies))
    })
    .await
}
