//! The client of one witness.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use kernel::effect::{Effect, Failed};
use reqwest::{Client, Response, StatusCode, header::CONTENT_TYPE, redirect};
use vault::{Hash, Witness, WitnessAnswer, format::cosignature::WitnessKey};

use super::{
    answer::{explain, is_size, lines, refused, size},
    endpoint::WitnessEndpoint,
};

/// The limit of one attempt, from the look-up of the name to the end of the answer.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// The longest answer that is read: room for hundreds of cosignatures.
pub(super) const MAX_ANSWER: usize = 64 * 1024;
/// The most hashes a consistency proof may have (tlog-witness).
pub(super) const MAX_PROOF: usize = 63;

/// The client of one witness.
pub struct HttpWitness {
    client: Client,
    endpoint: WitnessEndpoint,
    limit: Duration,
}

impl HttpWitness {
    /// Creates a client of the witness at `endpoint`.
    ///
    /// # Errors
    /// Fails with one sentence when the machine has no usable certificate store.
    pub fn new(endpoint: WitnessEndpoint) -> Result<Self, String> {
        Self::within(endpoint, LIMIT)
    }

    pub(super) fn within(endpoint: WitnessEndpoint, limit: Duration) -> Result<Self, String> {
        // If it is installed already, it is the same one.
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
            // It knows this very size, so another proof would not help: its root is another one.
            _ => WitnessAnswer::Forked(
                "it has cosigned another tree of the same size (409): the log shows two histories".to_owned(),
            ),
        })
    }

    /// Reads the body; `None` when it is too long or is not text.
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

    /// Describes a failure in words for the operator: no URL, and nothing that the witness said.
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

/// Writes the body of the request: the size, the proof, an empty line, the note.
pub(super) fn body(old_size: u64, proof: &[Hash], checkpoint: &str) -> String {
    let hashes: String = proof.iter().map(|hash| STANDARD.encode(hash.0) + "\n").collect();
    format!("old {old_size}\n{hashes}\n{checkpoint}")
}
