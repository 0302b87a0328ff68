//! Being forgotten.
//!
//! ```text
//! close ──14 days──▶ erase: sessions, passkeys, tokens and memberships are deleted; of the account its id stays, which the audit log names
//!   └──keep──▶ as before
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::identity::sessions;
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::{Actor, Person, RequestContext},
    clock::Timestamp,
    error::{Code, Error, Result},
    ids::UserId,
};

/// How long it can be taken back.
const GRACE: TimeDelta = TimeDelta::days(14);
/// How long ended sessions and tokens are kept, for a spent token to be known when it comes back.
const KEPT_AFTER_END: TimeDelta = TimeDelta::days(30);

/// That an account will be erased.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Receipt {
    /// Whose.
    pub user: UserId,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it is done; until then POST /v1/me/restore takes it back.
    pub erase_at: DateTime<Utc>,
}

/// Asks for the account to be erased. A second time says the same as the first.
///
/// # Errors
/// [`Code::LastOwner`] when an organisation with other members would be left without an owner; those of the database.
pub async fn close(core: &Core, by: &Person) -> Result<Receipt> {
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Door).await?;
    let account = store::lock_account(&mut tx, by.user).await?.ok_or_else(super::profile::gone)?;
    if let Some(erase_at) = account.erase_at {
        return Ok(Receipt { user: by.user, requested_at: erase_at - GRACE, erase_at });
    }
    if let Some(organization) = store::owned_alone(&mut tx, by.user).await? {
        let detail = format!("{organization} has other members and no other owner: make one of them an owner first");
        return Err(Error::new(Code::LastOwner, detail));
    }
    let receipt = Receipt { user: by.user, requested_at: now, erase_at: now + GRACE };
    store::set_erasure(&mut tx, by.user, Some(receipt.erase_at), now).await?;
    sessions::store::revoke_all_of(&mut tx, by.user, Some(by.session), "the account is being closed", now).await?;
    audit::record(&mut tx, core, by, "user.erasure_requested", &by.user.to_string()).await?;
    tx.commit().await?;
    Ok(receipt)
}

/// Takes it back.
///
/// # Errors
/// [`Code::NotFound`] when nothing was asked for; those of the database.
pub async fn keep(core: &Core, by: &Person) -> Result<()> {
    let mut tx = core.db.begin(by.caller()).await?;
    let account = store::lock_account(&mut tx, by.user).await?.ok_or_else(super::profile::gone)?;
    if account.erase_at.is_none() {
        return Err(Error::new(Code::NotFound, "The account is not being erased: there is nothing to take back"));
    }
    store::set_erasure(&mut tx, by.user, None, core.clock.now()).await?;
    audit::record(&mut tx, core, by, "user.erasure_withdrawn", &by.user.to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// Erases up to `limit` accounts that are due, each in a transaction of its own: killed between two, the next run goes on. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn erase_due(core: &Core, limit: i64) -> Result<u64> {
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Worker).await?;
    let due = store::due_for_erasure(&mut tx, now, limit).await?;
    tx.commit().await?;
    let mut erased = 0;
    for user in due {
        match erase_one(core, user, now).await {
            Ok(done) => erased += u64::from(done),
            // The others must not wait for whatever is wrong with this one.
            Err(error) => {
                tracing::error!(%user, cause = %error, "an account could not be erased; tried again with the next run")
            }
        }
    }
    Ok(erased)
}

async fn erase_one(core: &Core, user: UserId, now: Timestamp) -> Result<bool> {
    let mut tx = core.db.begin(Caller::Worker).await?;
    // It may have been taken back this moment; the lock keeps it from being so while this goes on.
    if !store::lock_for_erasure(&mut tx, user, now).await? {
        return Ok(false);
    }
    let request = RequestContext::default();
    let by = By { actor: Actor::System, ..By::stranger(user, &request) };
    for (organization, heir) in store::hand_over(&mut tx, user).await? {
        let by = By { organization: Some(organization), user: Some(heir), ..by };
        audit::record(&mut tx, core, by, "member.role_changed", &heir.to_string()).await?;
    }
    store::close_projects(&mut tx, user, now).await?;
    store::erase(&mut tx, user, now).await?;
    audit::record(&mut tx, core, by, "user.erased", &user.to_string()).await?;
    tx.commit().await?;
    Ok(true)
}

/// Forgets up to `limit` each of: sessions that ended long ago; refresh tokens, mailed tokens and passkey ceremonies whose time is over. Returns the
/// most of any.
///
/// # Errors
/// Those of the database.
pub async fn prune(core: &Core, limit: i64) -> Result<u64> {
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Worker).await?;
    let sessions = sessions::store::prune(&mut tx, now - KEPT_AFTER_END, limit).await?;
    let spent = sessions::store::prune_tokens(&mut tx, now, limit).await?;
    let tokens = store::prune_tokens(&mut tx, now, limit).await?;
    let ceremonies = store::prune_ceremonies(&mut tx, now, limit).await?;
    tx.commit().await?;
    Ok(sessions.max(spent).max(tokens).max(ceremonies))
}
