//! Adding a passkey to an account.

use kernel::{
    Core,
    audit::Change,
    caller::Person,
    checks::{Checks, LINE_ERRORS},
    error::{Code, Codes, Error, Result},
    ids::CeremonyId,
};
use serde_json::Value;
use webauthn_rs::prelude::{PasskeyRegistration, RegisterPublicKeyCredential};
use webauthn_rs_proto::ResidentKeyRequirement;

use super::{
    model::{Begun, CEREMONY_LIFETIME, MAX_PASSKEYS, Passkey},
    party::{RelyingParty, expired, refused},
    store,
};
use crate::identity::users;

/// The browser's answer, and the passkey's name.
#[derive(Debug)]
pub struct Registration {
    /// The ceremony, as [`begin_registration`] named it.
    pub ceremony: CeremonyId,
    /// A name for the person to tell their passkeys apart.
    pub name: String,
    /// The result of `navigator.credentials.create`, as JSON.
    pub credential: Value,
}

/// The codes of [`begin_registration`].
pub const BEGIN_REGISTRATION_ERRORS: Codes = &[&[Code::LimitReached]];

/// Begins a registration.
///
/// # Errors
/// [`BEGIN_REGISTRATION_ERRORS`].
pub async fn begin_registration(core: &Core, party: &RelyingParty, by: &Person) -> Result<Begun> {
    let account = users::get(core, by).await?;
    core.write(by, async |unit| {
        let known = store::find_all_of(unit, by.user).await?;
        if known.len() >= MAX_PASSKEYS {
            let detail = format!("A person may have {MAX_PASSKEYS} passkeys; remove one first");
            return Err(Error::new(Code::LimitReached, detail));
        }
        let exclude = known.iter().map(|row| row.credential.cred_id().clone()).collect();
        let (mut options, state) = party
            .0
            .start_passkey_registration(by.user.uuid(), account.email.as_str(), &account.name, Some(exclude))
            .map_err(|error| Error::internal(error.to_string()))?;
        // So that a login need not name an account: the device keeps that too.
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            selection.resident_key = Some(ResidentKeyRequirement::Required);
            selection.require_resident_key = true;
        }
        let ceremony_id = core.ids.next();
        let state = serde_json::to_value(state).map_err(Error::internal)?;
        let end = unit.now() + CEREMONY_LIFETIME;
        store::insert_ceremony(unit, ceremony_id, Some(by.user), &state, end).await?;
        Ok(Begun { ceremony_id, options: serde_json::to_value(options).map_err(Error::internal)? })
    })
    .await
}

/// The codes of [`finish_registration`].
pub const FINISH_REGISTRATION_ERRORS: Codes =
    &[LINE_ERRORS, &[Code::WrongType, Code::PasskeyInvalid, Code::PasskeyTaken]];

/// Finishes a registration: from now on the passkey can log in.
///
/// # Errors
/// [`FINISH_REGISTRATION_ERRORS`].
pub async fn finish_registration(
    core: &Core,
    party: &RelyingParty,
    by: &Person,
    wanted: Registration,
) -> Result<Passkey> {
    let mut checks = Checks::new();
    checks.line("/name", &wanted.name, 1..=100);
    let credential = serde_json::from_value::<RegisterPublicKeyCredential>(wanted.credential);
    let credential = checks.keep("/credential", Code::WrongType, credential);
    checks.finish()?;
    let Some(credential) = credential else { return Err(expired()) };
    core.write(by, async |unit| {
        let now = unit.now();
        let state =
            store::take_ceremony(unit, wanted.ceremony, Some(by.user), now).await?.ok_or_else(expired)?;
        // The state of a login does not read as one of a registration.
        let state: PasskeyRegistration = serde_json::from_value(state).map_err(|_| expired())?;
        let made =
            party.0.finish_passkey_registration(&credential, &state).map_err(|error| refused(&error))?;
        let passkey = Passkey { id: core.ids.next(), name: wanted.name, created_at: now, last_used_at: None };
        if !store::insert(unit, by.user, &passkey, &made).await? {
            return Err(Error::new(Code::PasskeyTaken, "The passkey already belongs to an account"));
        }
        unit.audit("passkey.added", passkey.id, Change::created(&passkey)?);
        Ok(passkey)
    })
    .await
}
