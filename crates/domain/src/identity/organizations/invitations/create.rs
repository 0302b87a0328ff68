//! Inviting somebody.

use std::time::Duration;

use kernel::{
    Core, Unit,
    answer::Answer,
    audit::Change,
    caller::allow,
    error::{Code, Codes, Error, Result},
    ids::OrganizationId,
};

use super::{
    limits::{LIFETIME, MAX_OPEN, MAX_RECENT, RECENT},
    model::{Invitation, InvitationRequest},
    store,
};
use crate::{
    identity::{
        mail_tokens::jobs::SendMail,
        organizations::membership::{AsMember, write_once},
    },
    mail::{Email, NotAnEmail},
};

/// The codes of [`create`], beside [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub const CREATE_ERRORS: Codes = &[
    &[Code::InvalidEmail, Code::RoleTooHigh],
    &[Code::AlreadyMember, Code::AlreadyInvited],
    &[Code::LimitReached],
    // The address was invited too often.
    &[Code::RateLimited],
];

/// Invites somebody, by mail.
///
/// # Errors
/// [`CREATE_ERRORS`], [`MEMBER_ERRORS`](super::super::MEMBER_ERRORS).
pub async fn create(
    core: &Core,
    by: &AsMember<allow::MembersWrite>,
    wanted: &InvitationRequest,
) -> Result<Answer<Invitation>> {
    let invalid = |error: NotAnEmail| Error::field(Code::InvalidEmail, "/email", error.to_string());
    let email: Email = wanted.email.parse().map_err(invalid)?;
    write_once(core, by, async |unit, me| {
        me.can_manage(wanted.role)?;
        require_invitable(unit, by.organization, &email).await?;
        let now = unit.now();
        let invitation = Invitation {
            id: core.ids.next(),
            email,
            role: wanted.role,
            invited_by: by.person.user,
            created_at: now,
            expires_at: now + LIFETIME,
        };
        store::insert(unit, by.organization, &invitation).await?;
        unit.enqueue(&SendMail::Invitation { invitation: invitation.id })?;
        unit.audit("invitation.created", invitation.id, Change::created(&invitation)?);
        Answer::created(&invitation)
    })
    .await
}

async fn require_invitable(unit: &mut Unit<'_>, organization: OrganizationId, email: &Email) -> Result<()> {
    let since = unit.now() - RECENT;
    let invitee = store::find_invitee(unit, organization, &email.key(), since).await?;
    if invitee.member {
        return Err(Error::new(
            Code::AlreadyMember,
            format!("{email} is already a member of this organization"),
        ));
    }
    if invitee.invited {
        let detail = format!("{email} has an open invitation; send it again, or revoke it first");
        return Err(Error::new(Code::AlreadyInvited, detail));
    }
    if invitee.open >= MAX_OPEN {
        let detail =
            format!("An organization can have at most {MAX_OPEN} open invitations; revoke one first");
        return Err(Error::new(Code::LimitReached, detail));
    }
    if invitee.recent >= MAX_RECENT {
        let detail = format!(
            "{email} was invited {MAX_RECENT} times within the last hour; wait before inviting again"
        );
        return Err(Error::new(Code::RateLimited, detail).retry_after(Duration::from_secs(3600)));
    }
    Ok(())
}
