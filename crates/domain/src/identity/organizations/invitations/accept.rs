//! Acceptance of an invitation.

use kernel::{
    Core,
    answer::Answer,
    audit::Change,
    caller::{By, Caller, Person},
    error::{Code, Codes, Error, Result},
};

use super::{model::Acceptance, store};
use crate::identity::{
    mail_tokens::token_digest,
    organizations::{create::require_room, limits::MAX_MEMBERS, model::Organization, store as organizations},
};

/// The codes of [`accept`].
pub const ACCEPT_ERRORS: Codes = &[
    &[Code::MailTokenInvalid, Code::EmailUnverified],
    // The invitation is for another address.
    &[Code::Forbidden],
    &[Code::AlreadyMember, Code::LimitReached],
];

/// Makes `by` a member of the organization that the token is for, if the invitation was sent to
/// their address. A token is consumed once.
///
/// # Errors
/// [`ACCEPT_ERRORS`].
pub async fn accept(core: &Core, by: &Person, wanted: &Acceptance) -> Result<Answer<Organization>> {
    let digest = token_digest(&wanted.token).ok_or_else(invalid)?;
    core.write_once(Caller::joining(by), async |unit| {
        let now = unit.now();
        // Locks the person: of two requests with the token at once, the second looks for it after
        // the first has consumed it.
        require_room(unit, by.user).await?;
        let open = store::find_by_token(unit, &digest, by.user, now).await?.ok_or_else(invalid)?;
        if !open.same_address {
            let detail = "The invitation is for another address than this account's; log in with the account \
                of the address it was sent to";
            return Err(Error::new(Code::Forbidden, detail));
        }
        if !open.verified {
            return Err(Error::new(
                Code::EmailUnverified,
                "Verify the account's e-mail address first, then \
                accept",
            ));
        }
        organizations::lock(unit, open.organization_id).await?;
        if organizations::find_role(unit, open.organization_id, by.user).await?.is_some() {
            return Err(Error::new(
                Code::AlreadyMember,
                "The account is already a member of this \
                organization",
            ));
        }
        if organizations::count_members(unit, open.organization_id).await? >= MAX_MEMBERS {
            let detail = format!("The organization has {MAX_MEMBERS} members, which is the limit");
            return Err(Error::new(Code::LimitReached, detail));
        }
        // The lock on the organization is no lock on the invitation's row: it may have been revoked
        // while this waited.
        if !store::accept(unit, open.id, now).await? {
            return Err(invalid());
        }
        organizations::insert_membership(unit, open.organization_id, by.user, open.role, now).await?;
        let joined = organizations::find(unit, open.organization_id, by.user).await?.ok_or_else(invalid)?;
        let by = By { organization: Some(joined.id), ..By::person(by.user) };
        unit.audit_by(by, "invitation.accepted", open.id, Change::NONE);
        Answer::created(&joined)
    })
    .await
}

/// Returns the same error for every reason, so that a guesser learns nothing from it.
fn invalid() -> Error {
    let detail = "The invitation was used, revoked or has expired, or there is none of that token; ask to be \
        invited again";
    Error::field(Code::MailTokenInvalid, "/token", detail)
}
