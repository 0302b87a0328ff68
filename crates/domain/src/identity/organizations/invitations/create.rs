//! Inviting somebody.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{super::enter_alone, GOOD_FOR, Invitation, MAX_OPEN, send, store};
use crate::mail::{Email, NotAnEmail};
use kernel::{
    Core, audit,
    caller::{Permission, Person, Role},
    db::Tx,
    error::{Code, Error, Result},
    idempotency::{self, Once},
    ids::OrganizationId,
    ports::Topic,
};

/// How often one address can be invited within [`WHILE`], revoked invitations among them: nobody's inbox is to be filled from here.
const MAX_AT_ONCE: i64 = 5;
const WHILE: TimeDelta = TimeDelta::hours(1);

/// Who is to be invited.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    /// Their address.
    #[schema(format = Email, max_length = 254, pattern = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^@\s\u0000]{1,189}$", example = "grace@example.com")]
    pub email: String,
    /// What they are to be; not above the caller's own role.
    pub role: Role,
}

/// Invites somebody, by mail.
///
/// # Errors
/// [`Code::InvalidEmail`]; [`Code::NotFound`], [`Code::PermissionMissing`]; [`Code::RoleTooHigh`]; [`Code::AlreadyMember`], [`Code::AlreadyInvited`];
/// [`Code::LimitReached`], [`Code::RateLimited`]; those of an `Idempotency-Key`; those of the database.
pub async fn create(
    core: &Core,
    by: &Person,
    organization: OrganizationId,
    wanted: &InvitationRequest,
    once: Option<&Once>,
) -> Result<Invitation> {
    let email: Email = wanted
        .email
        .parse()
        .map_err(|error: NotAnEmail| Error::field(Code::InvalidEmail, "/email", error.to_string()))?;
    let (mut tx, me) = enter_alone(core, by, organization, Permission::MembersWrite).await?;
    me.may_touch(wanted.role)?;
    if let Some(first) = idempotency::claim(once, &mut tx, core).await? {
        return Ok(first);
    }
    let now = core.clock.now();
    may_invite(&mut tx, organization, &email, store::Since(now - WHILE)).await?;
    let invitation = Invitation {
        id: core.ids.next(),
        email,
        role: wanted.role,
        invited_by: by.user,
        created_at: now,
        expires_at: now + GOOD_FOR,
    };
    store::insert(&mut tx, organization, &invitation).await?;
    send(&mut tx, core, by, invitation.id).await?;
    let (subject, change) = (invitation.id.to_string(), (None, Some(&invitation)));
    audit::record_change(&mut tx, core, &me, "invitation.created", &subject, change).await?;
    idempotency::keep(once, &mut tx, core, &invitation).await?;
    tx.commit().await?;
    core.wake.wake(Topic::Jobs);
    Ok(invitation)
}

async fn may_invite(tx: &mut Tx, organization: OrganizationId, email: &Email, since: store::Since) -> Result<()> {
    let standing = store::standing(tx, organization, &email.key(), since).await?;
    if standing.member {
        return Err(Error::new(Code::AlreadyMember, format!("{email} is a member of this organisation already")));
    }
    if standing.invited {
        let detail = format!("{email} has an open invitation; send it again, or revoke it first");
        return Err(Error::new(Code::AlreadyInvited, detail));
    }
    if standing.open >= MAX_OPEN {
        let detail = format!("An organisation can have at most {MAX_OPEN} open invitations; revoke one first");
        return Err(Error::new(Code::LimitReached, detail));
    }
    if standing.recent >= MAX_AT_ONCE {
        let detail =
            format!("{email} was invited {MAX_AT_ONCE} times within the last hour; wait before inviting again");
        return Err(Error::new(Code::RateLimited, detail).retry_after(Duration::from_secs(3600)));
    }
    Ok(())
}
