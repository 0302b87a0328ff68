//! One witness: its key and its URL.

use std::str::FromStr;

use url::Url;
use vault::format::cosignature::{NotAWitnessKey, WitnessKey};

use crate::network;

/// A witness and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessEndpoint {
    /// Its verifier key.
    pub key: WitnessKey,
    /// Its submission prefix, without a slash at its end; `/add-checkpoint` is appended to it.
    pub url: String,
}

/// The reason why a text is not a witness and its URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAWitness {
    /// Not two words.
    #[error("something other than a verifier key, a space and a URL")]
    Form,
    /// No key.
    #[error("a key that {0}")]
    Key(#[from] NotAWitnessKey),
    /// No URL, or one of another kind.
    #[error("a URL that is not plain https://host/path, without user, query and fragment")]
    Url,
    /// The request and its answer are public, but anybody on the way could suppress them.
    #[error("an http:// URL whose host is not on a private network: use https://")]
    InClear,
    /// The key is in the list twice.
    #[error("the public key of a witness that is there before")]
    Twice,
}

impl FromStr for WitnessEndpoint {
    type Err = NotAWitness;

    fn from_str(text: &str) -> Result<Self, NotAWitness> {
        let mut words = text.split_whitespace();
        let (Some(key), Some(url), None) = (words.next(), words.next(), words.next()) else {
            return Err(NotAWitness::Form);
        };
        let key = key.parse()?;
        let url = Url::parse(url).map_err(|_| NotAWitness::Url)?;
        let host = url.host_str().unwrap_or_default();
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && !host.is_empty();
        match url.scheme() {
            "https" if plain => {}
            "http" if plain && network::is_private(host) => {}
            "http" if plain => return Err(NotAWitness::InClear),
            _ => return Err(NotAWitness::Url),
        }
        Ok(Self { key, url: url.as_str().trim_end_matches('/').to_owned() })
    }
}
