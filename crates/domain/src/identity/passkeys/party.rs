//! The relying party: the site that the passkeys are for.

use std::{fmt, sync::Arc};

use kernel::error::{Code, Error};
use url::Url;
use webauthn_rs::{Webauthn, WebauthnBuilder, prelude::WebauthnError};

/// The relying party. Cloning shares it.
#[derive(Clone)]
pub struct RelyingParty(pub(super) Arc<Webauthn>);

impl RelyingParty {
    /// Creates the relying party of the frontend at `app_url`, on whose pages ceremonies take
    /// place, shown to people as `name`.
    ///
    /// A sentence, when its host can have no passkeys.
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

/// Returns the error for an answer that does not verify. The exact cause goes to the log.
pub(super) fn refused(error: &WebauthnError) -> Error {
    let detail =
        "The passkey's answer does not verify: it is of another ceremony, another site, or was changed";
    Error::new(Code::PasskeyInvalid, detail).because(error.to_string())
}

/// Returns the error for a ceremony that does not exist, or no longer does.
pub(super) fn expired() -> Error {
    let detail = "The ceremony is unknown, older than five minutes, or was finished before; begin another";
    Error::new(Code::PasskeyInvalid, detail)
}
