//! Forgetting what has ended.

use chrono::TimeDelta;
use kernel::{Core, DbScope, caller::Caller, error::Result};

use crate::identity::{mail_tokens, passkeys, sessions};

/// How long ended sessions are kept, for a rotated token to be known when it comes back.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Deletes up to `limit` each of: sessions that ended long ago; refresh tokens, mailed tokens and
/// passkey ceremonies whose time is over. Returns the most of any.
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
