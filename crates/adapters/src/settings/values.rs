//! Parsers of values, for `clap`: each says what it wants, and masks what may hold a secret.

use std::str::FromStr;

use kernel::crypto::SecretsRing;
use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::masked::{DatabaseUrl, Masked};
use crate::webhook::WebhookKey;

pub(super) fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let wants = "a URL such as postgres://user:password@host:5432/database";
    let url = service_url(text, &["postgres", "postgresql"])
        .map_err(|error| format!("{error}; it wants {wants}"))?;
    PgConnectOptions::from_str(url.reveal().as_str())
        .map(DatabaseUrl)
        .map_err(|error| format!("{error}; it wants {wants}"))
}

pub(super) fn service_url(text: &str, schemes: &[&str]) -> Result<Masked<Url>, String> {
    let wants = format!("it wants a URL that begins with {}://", schemes.join(":// or "));
    let url = Url::parse(text).map_err(|error| format!("held a text that is no URL ({error}); {wants}"))?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("held {}://{}; {wants}", url.scheme(), url.host_str().unwrap_or_default()));
    }
    Ok(Masked::new(url))
}

pub(super) fn app_url(text: &str) -> Result<Url, String> {
    let wants = "it wants the URL of the frontend, such as https://app.example.com";
    let url = Url::parse(text).map_err(|error| format!("{error}; {wants}"))?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.query().is_none()
        && url.fragment().is_none();
    if bare { Ok(url) } else { Err(wants.to_owned()) }
}

/// Reads PUBLIC_URL.
///
/// # Errors
/// Fails with one sentence on a value that is no such URL.
pub fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("{error}; it wants a URL such as https://api.example.com"))?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.path() == "/"
        && url.query().is_none();
    if bare { Ok(url) } else { Err("it wants http:// or https:// and a host, without a path".to_owned()) }
}

// `clap` asks for a `Result` from a parser.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a clap value parser")]
pub(super) fn secret(text: &str) -> Result<Masked<String>, String> {
    Ok(Masked::new(text.to_owned()))
}

pub(super) fn secrets_key(text: &str) -> Result<Masked<SecretsRing>, String> {
    text.parse()
        .map(Masked::new)
        .map_err(|error| format!("held *** ({error}); `api keygen secrets` generates one"))
}

pub(super) fn webhook_key(text: &str) -> Result<Masked<WebhookKey>, String> {
    text.parse()
        .map(Masked::new)
        .map_err(|error| format!("held *** ({error}); `api keygen webhook` generates one"))
}
