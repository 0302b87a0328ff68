//! Login with a passkey. The device names the account, so nobody types an address, and none can be
//! guessed.

use kernel::{
    Core, Unit,
    audit::Change,
    caller::{By, Caller, RequestContext},
    error::{Code, Codes, Error, Result},
    ids::{CeremonyId, UserId},
};
use serde_json::Value;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, Passkey as Credential, PublicKeyCredential,
    WebauthnError,
};

use super::{
    model::{Begun, CEREMONY_LIFETIME},
    party::{RelyingParty, expired, refused},
    store::{self, PasskeyRow},
};
use crate::identity::{
    sessions::{self, Opened},
    users,
};

/// The browser's answer.
#[derive(Debug)]
pub struct Login {
    /// The ceremony, as [`begin_login`] named it.
    pub ceremony: CeremonyId,
    /// The result of `navigator.credentials.get`, as JSON.
    pub credential: Value,
}

/// Begins a login.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn begin_login(core: &Core, party: &RelyingParty, request: &RequestContext) -> Result<Begun> {
    let (options, state) =
        party.0.start_discoverable_authentication().map_err(|error| Error::internal(error.to_string()))?;
    let ceremony_id = core.ids.next();
    let state = serde_json::to_value(state).map_err(Error::internal)?;
    core.write(Caller::anonymous(request), async |unit| {
        let end = unit.now() + CEREMONY_LIFETIME;
        Ok(store::insert_ceremony(unit, ceremony_id, None, &state, end).await?)
    })
    .await?;
    Ok(Begun { ceremony_id, options: serde_json::to_value(options).map_err(Error::internal)? })
}

/// The codes of [`finish_login`]. `PasskeyInvalid` is the same for an unknown passkey and for an
/// answer that does not verify.
pub const FINISH_LOGIN_ERRORS: Codes = &[&[Code::PasskeyInvalid, Code::WrongType]];

/// Finishes a login: opens a session.
///
/// # Errors
/// [`FINISH_LOGIN_ERRORS`].
pub async fn finish_login(
    core: &Core,
    party: &RelyingParty,
    wanted: Login,
    request: &RequestContext,
) -> Result<Opened> {
    let credential: PublicKeyCredential = serde_json::from_value(wanted.credential)
        .map_err(|error| Error::field(Code::WrongType, "/credential", error.to_string()))?;
    core.write(Caller::anonymous(request), async |unit| {
        let now = unit.now();
        let state = store::take_ceremony(unit, wanted.ceremony, None, now).await?.ok_or_else(expired)?;
        let state: DiscoverableAuthentication = serde_json::from_value(state).map_err(|_| expired())?;
        let Proved { user, result, mut row } = match verify(unit, party, &credential, state).await? {
            Ok(proved) => proved,
            Err(unproved) => {
                // The ceremony is consumed all the same, and the audit log of the account tells of
                // it: a counter that went back shows a copy of the device.
                if let Some(user) = unproved.user {
                    unit.audit_by(By::anonymous_for(user), "login.failed", user, Change::NONE);
                }
                return Ok(Err(refused(&unproved.error)));
            }
        };
        // The counter, which would reveal a copy of the device, and the backup state.
        row.credential.update_credential(&result);
        store::mark_used(unit, &row, now).await?;
        let account = users::find_by_id(unit, user).await?.ok_or_else(expired)?;
        sessions::open(unit, account.id, "passkey").await.map(Ok)
    })
    .await?
}

/// A passkey that gave a valid answer.
struct Proved {
    user: UserId,
    result: AuthenticationResult,
    row: PasskeyRow,
}

/// An answer that does not verify, and the person whom it claims to be from.
struct Unproved {
    user: Option<UserId>,
    error: WebauthnError,
}

async fn verify(
    unit: &mut Unit<'_>,
    party: &RelyingParty,
    credential: &PublicKeyCredential,
    state: DiscoverableAuthentication,
) -> Result<Result<Proved, Unproved>> {
    let (user, credential_id) = match party.0.identify_discoverable_authentication(credential) {
        Ok((user, credential_id)) => (UserId::from(user), credential_id),
        Err(error) => return Ok(Err(Unproved { user: None, error })),
    };
    let is_it = |passkey: &Credential| passkey.cred_id().as_slice() == credential_id;
    let known = store::find_all_of(unit, user).await?;
    let Some(row) = known.into_iter().find(|row| is_it(&row.credential)) else {
        return Ok(Err(Unproved { user: None, error: WebauthnError::CredentialNotFound }));
    };
    Ok(match party.0.finish_discoverable_authentication_v2(credential, state, &row.credential) {
        Ok(result) => Ok(Proved { user, result, row }),
        Err(error) => Err(Unproved { user: Some(user), error }),
    })
}
