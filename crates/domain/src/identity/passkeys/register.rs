//! Adding a passkey to an account.

use serde_json::Value;
use webauthn_rs::prelude::{PasskeyRegistration, RegisterPublicKeyCredential};
use webauthn_rs_proto::ResidentKeyRequirement;

use super::{Begun, CEREMONY, MAX, Passkey, RelyingParty, expired, refused, store};
use crate::identity::users;
use kernel::{
    Core, audit,
    caller::Person,
    checks::Checks,
    error::{Code, Error, Result},
    ids::CeremonyId,
};

/// What the browser made, and what to call it.
#[derive(Debug)]
pub struct Registration {
    /// As [`begin_registration`] named it.
    pub ceremony: CeremonyId,
    /// For the person to tell their passkeys apart.
    pub name: String,
    /// What `navigator.credentials.create` gave, as JSON.
    pub credential: Value,
}

/// Begins.
///
/// # Errors
/// [`Code::LimitReached`]; those of the database.
pub async fn begin_registration(core: &Core, party: &RelyingParty, by: &Person) -> Result<Begun> {
    let account = users::get(core, by).await?;
    let mut tx = core.db.begin(by.caller()).await?;
    let known = store::of_person(&mut tx, by.user).await?;
    if known.len() >= MAX {
        return Err(Error::new(Code::LimitReached, format!("A person may have {MAX} passkeys; remove one first")));
    }
    let exclude = known.iter().map(|(_, passkey)| passkey.cred_id().clone()).collect();
    let (mut options, state) = party
        .0
        .start_passkey_registration(by.user.uuid(), account.email.as_str(), &account.name, Some(exclude))
        .map_err(|error| Error::internal(error.to_string()))?;
    // So that a login need not say who it is for: the device keeps that too.
    if let Some(selection) = &mut options.public_key.authenticator_selection {
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
    }
    let ceremony = core.ids.next();
    let state = serde_json::to_value(state).map_err(Error::internal)?;
    store::insert_ceremony(&mut tx, ceremony, Some(by.user), &state, core.clock.now() + CEREMONY).await?;
    tx.commit().await?;
    Ok(Begun { ceremony_id: ceremony, options: serde_json::to_value(options).map_err(Error::internal)? })
}

/// Finishes: the passkey can be logged in with.
///
/// # Errors
/// A name that breaks a rule; [`Code::PasskeyInvalid`]; [`Code::PasskeyTaken`]; those of the database.
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

    let now = core.clock.now();
    let mut tx = core.db.begin(by.caller()).await?;
    let state = store::take_ceremony(&mut tx, wanted.ceremony, Some(by.user), now).await?.ok_or_else(expired)?;
    // One of a login is none of these.
    let state: PasskeyRegistration = serde_json::from_value(state).map_err(|_| expired())?;
    let made = party.0.finish_passkey_registration(&credential, &state).map_err(|error| refused(&error))?;
    let passkey = Passkey { id: core.ids.next(), name: wanted.name, created_at: now, last_used_at: None };
    if !store::insert(&mut tx, by.user, &passkey, &made).await? {
        return Err(Error::new(Code::PasskeyTaken, "The passkey belongs to an account already"));
    }
    audit::record(&mut tx, core, by, "passkey.added", &passkey.id.to_string()).await?;
    tx.commit().await?;
    Ok(passkey)
}
