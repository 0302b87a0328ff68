//! Passkeys (W3C WebAuthn Level 3): logging in with what a device keeps, and no password.
//!
//! A ceremony takes two requests, which may reach two replicas: what it must remember between them is in Postgres, used once and good for five minutes.

mod list;
mod login;
mod register;
mod store;

use std::fmt;

use chrono::TimeDelta;
use serde_json::Value;
use url::Url;
use webauthn_rs::{Webauthn, WebauthnBuilder, prelude::WebauthnError};

pub use list::{Passkey, list, remove};
pub use login::{Login, begin_login, finish_login};
pub use register::{Registration, begin_registration, finish_registration};

use kernel::{
    error::{Code, Error, Result},
    ids::CeremonyId,
};

/// How long a ceremony may take.
const CEREMONY: TimeDelta = TimeDelta::minutes(5);
/// How many passkeys a person may have.
pub const MAX: usize = 20;

/// The relying party: whose passkeys these are.
#[derive(Clone)]
pub struct RelyingParty(std::sync::Arc<Webauthn>);

impl RelyingParty {
    /// That of the frontend at `app_url`, on whose pages ceremonies take place, shown to people as `name`.
    ///
    /// # Errors
    /// In a sentence, when its host can have no passkeys.
    pub fn new(app_url: &Url, name: &str) -> Result<Self, String> {
        let host = app_url.host_str().unwrap_or_default();
        let build = || WebauthnBuilder::new(host, app_url)?.rp_name(name).build();
        build()
            .map(|webauthn| Self(webauthn.into()))
            .map_err(|error| format!("APP_URL held \"{app_url}\", which can have no passkeys: {error}"))
    }
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelyingParty")
    }
}

/// A ceremony that was begun.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Begun {
    /// Names it when it is finished.
    pub ceremony_id: CeremonyId,
    /// What the page hands to `navigator.credentials`, binary values as base64url: `{publicKey: …}`.
    #[schema(value_type = Object)]
    pub options: Value,
}

/// What a browser sent does not prove what it should. What exactly is wrong is for the log.
fn refused(error: &WebauthnError) -> Error {
    let detail = "The passkey's answer does not verify: it is of another ceremony, another site, or was changed";
    Error::new(Code::PasskeyInvalid, detail).because(error.to_string())
}

fn expired() -> Error {
    Error::new(
        Code::PasskeyInvalid,
        "The ceremony is unknown, older than five minutes, or was finished before; begin another",
    )
}
