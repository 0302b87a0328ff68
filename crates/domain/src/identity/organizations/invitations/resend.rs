//! Mailing an invitation again.

use chrono::TimeDelta;

use super::{super::enter_alone, GOOD_FOR, Invitation, send, store, unknown};
use kernel::{
    Core, audit,
    caller::{Permission, Person},
    error::{Code, Error, Result},
    ids::{InvitationId, OrganizationId},
    ports::Topic,
};

/// How long after it was sent it may be sent again: nobody's inbox is to be filled from here.
const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Mails the invitation again, which is then good for as long as a new one. Links that were mailed before stay good.
///
/// # Errors
/// [`Code::NotFound`], [`Code::PermissionMissing`], [`Code::RoleTooHigh`]; [`Code::RateLimited`] within five minutes; those of the database.
pub async fn resend(core: &Core, by: &Person, organization: OrganizationId, id: InvitationId) -> Result<Invitation> {
    let (mut tx, me) = enter_alone(core, by, organization, Permission::MembersWrite).await?;
    let before = store::find(&mut tx, organization, id).await?.ok_or_else(unknown)?;
    me.may_touch(before.role)?;
    let now = core.clock.now();
    let sent_at = before.expires_at - GOOD_FOR;
    if let Ok(wait) = (sent_at + PAUSE - now).to_std() {
        let detail = format!("It was sent moments ago; it can be sent again in {} seconds", wait.as_secs().max(1));
        return Err(Error::new(Code::RateLimited, detail).retry_after(wait));
    }
    let after = Invitation { expires_at: now + GOOD_FOR, ..before.clone() };
    store::prolong(&mut tx, organization, &after).await?;
    send(&mut tx, core, by, id).await?;
    let change = (Some(&before), Some(&after));
    audit::record_change(&mut tx, core, &me, "invitation.sent_again", &id.to_string(), change).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(after)
}
