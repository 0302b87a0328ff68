//! Becoming a member.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    super::{MAX_MEMBERS, Organization, create::room_for_one_more, store as organizations},
    store,
};
use crate::identity::users::token_digest;
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::Person,
    error::{Code, Error, Result},
    idempotency::{self, Once},
};

/// The token that was mailed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// From the link in the mail.
    #[schema(max_length = 64, pattern = "^hfm_[1-9A-HJ-NP-Za-km-z]{40,44}$")]
    pub token: String,
}

/// Makes `by` a member of the organisation that the token is for, if theirs is the address that was invited. A token is used once.
///
/// # Errors
/// [`Code::MailTokenInvalid`]; [`Code::EmailUnverified`]; [`Code::Forbidden`] for another address; [`Code::AlreadyMember`]; [`Code::LimitReached`];
/// those of an `Idempotency-Key`; those of the database.
pub async fn accept(core: &Core, by: &Person, wanted: &Acceptance, once: Option<&Once>) -> Result<Organization> {
    let digest = token_digest(&wanted.token).ok_or_else(invalid)?;
    let mut tx = core.db.begin(Caller::Entering(by.user)).await?;
    if let Some(first) = idempotency::claim(once, &mut tx, core).await? {
        return Ok(first);
    }
    let now = core.clock.now();
    // Locks the person: of two who use the token at once, one looks for it after the other has used it.
    room_for_one_more(&mut tx, by.user).await?;
    let open = store::find_by_token(&mut tx, &digest, by.user, now).await?.ok_or_else(invalid)?;
    if !open.same_address {
        let detail = "The invitation is for another address than this account's; log in with the account of the address it was sent to";
        return Err(Error::new(Code::Forbidden, detail));
    }
    if !open.verified {
        return Err(Error::new(Code::EmailUnverified, "Verify the account's e-mail address first, then accept"));
    }
    organizations::lock(&mut tx, open.organization_id).await?;
    if organizations::role_of(&mut tx, open.organization_id, by.user).await?.is_some() {
        return Err(Error::new(Code::AlreadyMember, "The account is a member of this organisation already"));
    }
    if organizations::count_members(&mut tx, open.organization_id).await? >= MAX_MEMBERS {
        let detail = format!("The organisation has {MAX_MEMBERS} members, which is as many as there may be");
        return Err(Error::new(Code::LimitReached, detail));
    }
    // The lock on the organisation is no lock on the invitation's row: what was revoked while we waited opens nothing.
    if !store::accept(&mut tx, open.id, now).await? {
        return Err(invalid());
    }
    organizations::insert_membership(&mut tx, open.organization_id, by.user, open.role, now).await?;
    let joined = organizations::find(&mut tx, open.organization_id, by.user).await?.ok_or_else(invalid)?;
    let who = By { organization: Some(joined.id), ..By::from(by) };
    audit::record(&mut tx, core, who, "invitation.accepted", &open.id.to_string()).await?;
    idempotency::keep(once, &mut tx, core, &joined).await?;
    tx.commit().await?;
    Ok(joined)
}

/// The same for every reason: which it was is nobody's business who only guesses.
fn invalid() -> Error {
    let detail =
        "The invitation was used, revoked or has expired, or there is none of that token; ask to be invited again";
    Error::field(Code::MailTokenInvalid, "/token", detail)
}
