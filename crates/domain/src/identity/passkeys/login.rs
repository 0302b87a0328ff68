//! Logging in with a passkey. Who it is, the device says: nobody types an address, so none can be tried.

use serde_json::Value;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, Passkey as Credential, PublicKeyCredential, WebauthnError,
};

use super::{Begun, CEREMONY, RelyingParty, expired, refused, store};
use crate::identity::{
    sessions::{self, Opened},
    users,
};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::RequestContext,
    db::Tx,
    error::{Code, Error, Result},
    ids::{CeremonyId, PasskeyId, UserId},
};

/// What the browser answered.
#[derive(Debug)]
pub struct Login {
    /// As [`begin_login`] named it.
    pub ceremony: CeremonyId,
    /// What `navigator.credentials.get` gave, as JSON.
    pub credential: Value,
}

/// Begins.
///
/// # Errors
/// Those of the database.
pub async fn begin_login(core: &Core, party: &RelyingParty) -> Result<Begun> {
    let (options, state) =
        party.0.start_discoverable_authentication().map_err(|error| Error::internal(error.to_string()))?;
    let ceremony = core.ids.next();
    let state = serde_json::to_value(state).map_err(Error::internal)?;
    let mut tx = core.db.begin(Caller::Door).await?;
    store::insert_ceremony(&mut tx, ceremony, None, &state, core.clock.now() + CEREMONY).await?;
    tx.commit().await?;
    Ok(Begun { ceremony_id: ceremony, options: serde_json::to_value(options).map_err(Error::internal)? })
}

/// Finishes: opens a session.
///
/// # Errors
/// [`Code::PasskeyInvalid`], the same for an unknown passkey and for an answer that does not verify; those of the database.
pub async fn finish_login(
    core: &Core,
    party: &RelyingParty,
    wanted: Login,
    request: &RequestContext,
) -> Result<Opened> {
    let credential: PublicKeyCredential = serde_json::from_value(wanted.credential)
        .map_err(|error| Error::field(Code::WrongType, "/credential", error.to_string()))?;
    let now = core.clock.now();
    let mut tx = core.db.begin(Caller::Door).await?;
    let state = store::take_ceremony(&mut tx, wanted.ceremony, None, now).await?.ok_or_else(expired)?;
    let state: DiscoverableAuthentication = serde_json::from_value(state).map_err(|_| expired())?;
    let (user, result, id, mut passkey) = match check(&mut tx, party, &credential, state).await? {
        Ok(proved) => proved,
        Err((user, error)) => {
            // The ceremony is used up all the same, and who was meant is told: a counter that went back is a copy of their device.
            if let Some(user) = user {
                audit::record(&mut tx, core, By::stranger(user, request), "login.failed", &user.to_string()).await?;
            }
            tx.commit().await?;
            return Err(refused(&error));
        }
    };
    // The counter, by which a copy of the device would be found out, and whether it is backed up.
    passkey.update_credential(&result);
    store::used(&mut tx, id, &passkey, now).await?;
    let account = users::store::find_by_id(&mut tx, user).await?.ok_or_else(expired)?;
    let opened = sessions::open(&mut tx, core, account.id, "passkey", request).await?;
    tx.commit().await?;
    Ok(opened)
}

type Proved = (UserId, AuthenticationResult, PasskeyId, Credential);

/// Whose passkey answered, and with what; or what is wrong, and whose it would have been.
async fn check(
    tx: &mut Tx,
    party: &RelyingParty,
    credential: &PublicKeyCredential,
    state: DiscoverableAuthentication,
) -> Result<Result<Proved, (Option<UserId>, WebauthnError)>> {
    let (user, credential_id) = match party.0.identify_discoverable_authentication(credential) {
        Ok((user, credential_id)) => (UserId::from(user), credential_id),
        Err(error) => return Ok(Err((None, error))),
    };
    let known = store::of_person(tx, user).await?;
    let Some((id, passkey)) = known.into_iter().find(|(_, passkey)| passkey.cred_id().as_slice() == credential_id)
    else {
        return Ok(Err((None, WebauthnError::CredentialNotFound)));
    };
    Ok(match party.0.finish_discoverable_authentication_v2(credential, state, &passkey) {
        Ok(result) => Ok((user, result, id, passkey)),
        Err(error) => Err((Some(user), error)),
    })
}
