//! Ending sessions.

use super::{RefreshToken, store};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::{Actor, Person, RequestContext},
    error::{Code, Error, Result},
    ids::SessionId,
};

/// Ends one of the person's sessions.
///
/// # Errors
/// [`Code::NotFound`]; those of the database.
pub async fn revoke(core: &Core, by: &Person, session: SessionId) -> Result<()> {
    let mut tx = core.db.begin(by.caller()).await?;
    if store::revoke_own(&mut tx, by.user, session, core.clock.now()).await? == 0 {
        return Err(Error::new(Code::NotFound, "The person has no session of that id, or it has ended"));
    }
    audit::record(&mut tx, core, by, "session.revoked", &session.to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends all of the person's sessions but the one that asks. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn revoke_others(core: &Core, by: &Person) -> Result<u64> {
    let mut tx = core.db.begin(by.caller()).await?;
    let ended =
        store::revoke_all_of(&mut tx, by.user, Some(by.session), "the person ended it", core.clock.now()).await?;
    audit::record(&mut tx, core, by, "session.others_revoked", &by.session.to_string()).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends the session of a refresh token. A token that is not known has none: that is no error, since what was asked for is so.
///
/// # Errors
/// Those of the database.
pub async fn logout(core: &Core, token: &RefreshToken, request: &RequestContext) -> Result<Option<SessionId>> {
    let mut tx = core.db.begin(Caller::Door).await?;
    let Some((user, session)) = store::revoke_by_token(&mut tx, &token.digest(), core.clock.now()).await? else {
        return Ok(None);
    };
    let by = By { actor: Actor::Person(user), ..By::stranger(user, request) };
    audit::record(&mut tx, core, by, "session.closed", &session.to_string()).await?;
    tx.commit().await?;
    Ok(Some(session))
}
