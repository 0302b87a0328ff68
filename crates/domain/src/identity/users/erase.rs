//! Erasure of the accounts whose holders asked for it.

use kernel::{
    Core, DbScope, Unit,
    audit::Change,
    caller::{By, Caller},
    error::Result,
    ids::UserId,
};

use super::{model::HeirRow, store};

/// Erases up to `limit` accounts that are due, each in a transaction of its own, so that a run that
/// is killed between two loses nothing. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn erase_due(core: &Core, limit: i64) -> Result<u64> {
    let by = Caller::system(DbScope::Worker);
    let now = core.clock.now();
    let due = core.read(by, async |tx| Ok(store::find_due_for_erasure(tx, now, limit).await?)).await?;
    let mut erased = 0;
    for user in due {
        match core.write(by, async |unit| erase_one(unit, user).await).await {
            Ok(done) => erased += u64::from(done),
            // The other accounts must not wait for the cause of this failure.
            Err(error) => {
                tracing::error!(%user, cause = %error, "an account could not be erased; the next run tries \
                    again");
            }
        }
    }
    Ok(erased)
}

async fn erase_one(unit: &mut Unit<'_>, user: UserId) -> Result<bool> {
    let now = unit.now();
    // It may have been canceled just now; the lock prevents a cancellation from here on.
    if !store::lock_for_erasure(unit, user, now).await? {
        return Ok(false);
    }
    for HeirRow { organization_id, user_id: heir } in store::hand_over(unit, user).await? {
        let by = By { organization: Some(organization_id), user: Some(heir), ..By::system() };
        unit.audit_by(by, "member.role_changed", heir, Change::NONE);
    }
    store::close_projects(unit, user, now).await?;
    store::erase(unit, user, now).await?;
    unit.audit_by(By { user: Some(user), ..By::system() }, "user.erased", user, Change::NONE);
    Ok(true)
}
