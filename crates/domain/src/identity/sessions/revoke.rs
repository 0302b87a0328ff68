//! Ending sessions.

use kernel::{
    Core, Unit,
    audit::Change,
    caller::{By, Caller, Person, RequestContext},
    error::{Code, Codes, Error, Result},
    ids::{SessionId, UserId},
    ports::Credential,
};

use super::{store, token::RefreshToken};

/// The codes of [`revoke`].
pub const REVOKE_ERRORS: Codes = &[&[Code::NotFound]];

/// Ends one of the person's sessions.
///
/// # Errors
/// [`REVOKE_ERRORS`].
pub async fn revoke(core: &Core, by: &Person, session: SessionId) -> Result<()> {
    core.write(by, async |unit| {
        let now = unit.now();
        if store::revoke_own(unit, by.user, session, now).await? == 0 {
            return Err(Error::new(Code::NotFound, "The person has no session of that id, or it has ended"));
        }
        unit.audit("session.revoked", session, Change::NONE);
        unit.forget(Credential::Session(session));
        Ok(())
    })
    .await
}

/// Ends all of the person's sessions but the one that asks. Returns how many.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn revoke_others(core: &Core, by: &Person) -> Result<u64> {
    core.write(by, async |unit| {
        let ended = revoke_all_of(unit, by.user, Some(by.session), "the person ended it").await?;
        unit.audit("session.others_revoked", by.session, Change::NONE);
        Ok(ended)
    })
    .await
}

/// Ends all sessions of `user` but `kept`, in the transaction of the change that requires it.
/// Returns how many.
///
/// # Errors
/// [`Code::Unavailable`].
pub(in crate::identity) async fn revoke_all_of(
    unit: &mut Unit<'_>,
    user: UserId,
    kept: Option<SessionId>,
    why: &'static str,
) -> Result<u64> {
    let now = unit.now();
    unit.forget(Credential::SessionsOf(user));
    Ok(store::revoke_all_of(unit, user, kept, why, now).await?)
}

/// Ends the session of a refresh token. An unknown token is no error: no session of it lives.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn logout(core: &Core, token: &RefreshToken, request: &RequestContext) -> Result<()> {
    core.write(Caller::anonymous(request), async |unit| {
        let now = unit.now();
        if let Some((user, session)) = store::revoke_by_token(unit, &token.digest(), now).await? {
            unit.audit_by(By::person(user), "session.closed", session, Change::NONE);
            unit.forget(Credential::Session(session));
        }
        Ok(())
    })
    .await
}
