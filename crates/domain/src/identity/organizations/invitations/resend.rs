//! Mailing of an invitation again.

use kernel::{
    Core,
    audit::Change,
    caller::allow,
    error::{Code, Codes, Error, Result},
    ids::InvitationId,
};

use super::{
    limits::{LIFETIME, RESEND_PAUSE},
    model::{Invitation, unknown},
    store,
};
use crate::identity::{
    mail_tokens::jobs::SendMail,
    organizations::membership::{AsMember, write},
};

/// The codes of [`resend`], beside [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS): `RateLimited`
/// within five minutes.
pub const RESEND_ERRORS: Codes = &[&[Code::NotFound, Code::RoleTooHigh, Code::RateLimited]];

/// Mails the invitation again and restarts its life. Links that were mailed before stay valid.
///
/// # Errors
/// [`RESEND_ERRORS`], [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn resend(core: &Core, by: &AsMember<allow::MembersWrite>, id: InvitationId) -> Result<Invitation> {
    write(core, by, async |unit, me| {
        let before = store::find(unit, by.organization, id).await?.ok_or_else(unknown)?;
        me.can_manage(before.role)?;
        let now = unit.now();
        let sent_at = before.expires_at - LIFETIME;
        if let Ok(wait) = (sent_at + RESEND_PAUSE - now).to_std() {
            let detail =
                format!("It was sent moments ago; it can be sent again in {} seconds", wait.as_secs().max(1));
            return Err(Error::new(Code::RateLimited, detail).retry_after(wait));
        }
        let after = Invitation { expires_at: now + LIFETIME, ..before.clone() };
        store::prolong(unit, by.organization, &after).await?;
        unit.enqueue(&SendMail::Invitation { invitation: id })?;
        unit.audit("invitation.sent_again", id, Change::updated(&before, &after)?);
        Ok(after)
    })
    .await
}
