//! Witnesses of the vault's logs, asked by HTTP for their cosignatures (C2SP tlog-witness).
//!
//! An operator names them and trusts them with nothing but their own word: what they answer is
//! bounded, and is taken for a cosignature only once `domain` has verified it. No redirect is
//! followed.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use kernel::effect::{Effect, Failed};
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
    redirect,
};
use url::Url;
use vault::{
    Hash, Witness, WitnessAnswer,
    format::cosignature::{NotAWitnessKey, WitnessKey},
};

use crate::network;

/// What one attempt may take, from the look-up of the name to the end of the answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest answer that is read: room for hundreds of cosignatures.
const MAX_ANSWER: usize = 64 * 1024;
/// The most hashes a consistency proof may have (tlog-witness).
const MAX_PROOF: usize = 63;
/// The type of the answer that states the size which the witness knows.
const SIZE: &str = "text/x.tlog.size";
/// How many witnesses there may be: with three signatures of ours, fewer than the 16 that every
/// reader of a note must accept.
const MAX_WITNESSES: usize = 8;

/// A witness, and where it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessEndpoint {
    /// Its verifier key.
    pub key: WitnessKey,
    /// Its submission prefix, which `/add-checkpoint` is appended to; without a slash at its end.
    pub url: String,
}

/// The witnesses that are asked; `VAULT_WITNESSES`: `<verifier key> <url>`, separated by commas.
/// None when empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Witnesses(Vec<WitnessEndpoint>);

impl Witnesses {
    /// Them, as they were listed; no two of one key.
    pub fn endpoints(&self) -> &[WitnessEndpoint] {
        &self.0
    }

    /// The key of each.
    pub fn keys(&self) -> Vec<WitnessKey> {
        self.0.iter().map(|witness| witness.key.clone()).collect()
    }

    /// A client of each.
    ///
    /// # Errors
    /// In one sentence, when the machine has no usable certificate store.
    pub fn clients(&self) -> Result<Vec<Arc<dyn Witness>>, String> {
        self.0
            .iter()
            .cloned()
            .map(|witness| HttpWitness::new(witness).map(|client| Arc::new(client) as _))
            .collect()
    }
}

/// Why a text does not list witnesses. Says which entry, and not what it holds, since a URL may
/// hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWitnesses {
    /// More than there may be.
    #[error("held {0} witnesses; it wants {MAX_WITNESSES} at most")]
    TooMany(usize),
    /// One entry.
    #[error(
        "held as number {number} {entry}; it wants <verifier key> <url> of each witness once, separated by \
        commas"
    )]
    Entry {
        /// From 1.
        number: usize,
        /// What it is.
        entry: NotAWitness,
    },
}

/// Why a text is not a witness and its URL: what it is instead.
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
    /// What is asked and answered is public, but whoever stands in between could suppress it.
    #[error("an http:// URL whose host is not on a private network: use https://")]
    InClear,
    /// It is there twice.
    #[error("the public key of a witness that is there before")]
    Twice,
}

impl FromStr for Witnesses {
    type Err = NotWitnesses;

    fn from_str(text: &str) -> Result<Self, NotWitnesses> {
        let mut witnesses = Vec::<WitnessEndpoint>::new();
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for (number, entry) in (1..).zip(entries) {
            let witness = entry.parse::<WitnessEndpoint>().and_then(|witness| {
                let known = |other: &WitnessEndpoint| other.key.public_key() == witness.key.public_key();
                if witnesses.iter().any(known) { Err(NotAWitness::Twice) } else { Ok(witness) }
            });
            witnesses.push(witness.map_err(|entry| NotWitnesses::Entry { number, entry })?);
        }
        if witnesses.len() > MAX_WITNESSES {
            Err(NotWitnesses::TooMany(witnesses.len()))
        } else {
            Ok(Self(witnesses))
        }
    }
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

impl fmt::Display for Witnesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, WitnessEndpoint { key, url }) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{key} {url}")?;
        }
        Ok(())
    }
}

/// The client of one witness.
pub struct HttpWitness {
    client: Client,
    endpoint: WitnessEndpoint,
    limit: Duration,
}

impl HttpWitness {
    /// Asks the witness at `endpoint`.
    ///
    /// # Errors
    /// In one sentence, when the machine has no usable certificate store.
    pub fn new(endpoint: WitnessEndpoint) -> Result<Self, String> {
        Self::within(endpoint, LIMIT)
    }

    fn within(endpoint: WitnessEndpoint, limit: Duration) -> Result<Self, String> {
        // Installed already by whoever came first: the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("Holdfast/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(limit)
            .pool_max_idle_per_host(1)
            .build()
            .map_err(|error| format!("VAULT_WITNESSES cannot be used: {error}"))?;
        Ok(Self { client, endpoint, limit })
    }

    async fn attempt(&self, old_size: u64, proof: &[Hash], checkpoint: &str) -> Effect<WitnessAnswer> {
        if proof.len() > MAX_PROOF {
            return Ok(refused("the consistency proof is longer than one can be"));
        }
        let post = self
            .client
            .post(format!("{}/add-checkpoint", self.endpoint.url))
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(body(old_size, proof, checkpoint));
        let mut answer = post.send().await.map_err(|error| self.away(&error))?;
        let status = answer.status();
        let states_size = is_size(answer.headers());
        if status != StatusCode::OK && status != StatusCode::CONFLICT {
            return explain(status);
        }
        let Some(text) = self.read(&mut answer).await? else {
            return Ok(refused("it answered with something other than text, or more than 64 KiB of it"));
        };
        if status == StatusCode::OK {
            let other = || refused("it answered 200 with something other than signature lines");
            return Ok(lines(&text).map_or_else(other, WitnessAnswer::Cosigned));
        }
        Ok(match (states_size, size(&text)) {
            (true, Some(size)) if size != old_size => WitnessAnswer::Behind { size },
            (true, None) => refused("it answered 409 with something other than a size"),
            // It knows this very size, so another proof would not help: what it has is another
            // root.
            _ => WitnessAnswer::Forked(
                "it has cosigned another tree of the same size (409): the log shows two histories".to_owned(),
            ),
        })
    }

    /// Reads the body; `None` when it is too long, or no text.
    async fn read(&self, answer: &mut Response) -> Effect<Option<String>> {
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.away(&error))? {
            text.extend_from_slice(&chunk);
            if text.len() > MAX_ANSWER {
                return Ok(None);
            }
        }
        Ok(String::from_utf8(text).ok())
    }

    /// Describes a failure in words for the operator: no URL, nothing of what the witness said.
    fn away(&self, error: &reqwest::Error) -> Failed {
        Failed::new(if error.is_timeout() {
            format!("it did not answer within {} seconds", self.limit.as_secs_f32())
        } else if error.is_connect() {
            "no connection: its name, its port or its certificate did not work".to_owned()
        } else {
            "the connection broke before it had answered".to_owned()
        })
    }
}

impl Witness for HttpWitness {
    fn key(&self) -> &WitnessKey {
        &self.endpoint.key
    }

    fn add_checkpoint<'a>(
        &'a self,
        old_size: u64,
        proof: &'a [Hash],
        checkpoint: &'a str,
    ) -> BoxFuture<'a, Effect<WitnessAnswer>> {
        Box::pin(self.attempt(old_size, proof, checkpoint))
    }
}

impl fmt::Debug for HttpWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpWitness({} at {})", self.endpoint.key.name(), self.endpoint.url)
    }
}

/// What is posted: the size, the proof, an empty line, the note.
fn body(old_size: u64, proof: &[Hash], checkpoint: &str) -> String {
    let hashes: String = proof.iter().map(|hash| STANDARD.encode(hash.0) + "\n").collect();
    format!("old {old_size}\n{hashes}\n{checkpoint}")
}

fn is_size(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SIZE))
}

/// A number without sign, spaces and leading zeros, and a newline.
fn size(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('\n')?;
    digits.parse().ok().filter(|size: &u64| size.to_string() == digits)
}

/// One or more lines that begin as those of signatures do, each ended by a newline.
fn lines(text: &str) -> Option<Vec<String>> {
    let lines: Vec<_> = text.strip_suffix('\n')?.split('\n').map(str::to_owned).collect();
    lines.iter().all(|line| line.starts_with("— ")).then_some(lines)
}

fn refused(reason: &str) -> WitnessAnswer {
    WitnessAnswer::Refused(reason.to_owned())
}

/// Reads every status but 200 and 409: what it means by tlog-witness, and what to do.
fn explain(status: StatusCode) -> Effect<WitnessAnswer> {
    let code = status.as_u16();
    let reason = match code {
        400 => "it cannot read the checkpoint, or does not take one of this form (400)",
        403 => {
            "it trusts none of the keys that signed the checkpoint (403): give its operator this log's \
            verifier keys"
        }
        404 => {
            "it does not know this log, or its URL is wrong (404): give its operator the log's origin and \
            verifier keys"
        }
        422 => {
            let reason = "the log does not continue what it cosigned before (422): was a backup restored, or \
                the log changed?";
            return Ok(WitnessAnswer::Forked(reason.to_owned()));
        }
        300..400 => return Ok(refused(&format!("it answered {code}: redirects are not followed"))),
        408 | 425 | 429 | 500.. => return Err(Failed::new(format!("it answered {code}"))),
        _ => return Ok(refused(&format!("it answered {code}"))),
    };
    Ok(refused(reason))
}

#[cfg(test)]
mod tests;
