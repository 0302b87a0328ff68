//! Traits of what may fail or be absent. The signature is the policy, so a call site cannot get it wrong.
//!
//! *Accelerators* return `Option` or `()`: they cannot fail, only not help. The truth is in Postgres: a miss falls back to SQL,
//! a missed wake-up to polling. *Needed services* would return `Result<_, Unavailable>`; *effects* (mail, webhooks, witnesses) run only
//! from jobs, where the retry is the degrade.
//!
//! Architecture invariant: only `adapters::guard::Guarded<Driver>` implements these for something remote, so a raw client
//! cannot be wired in past its timeout and circuit breaker.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::{
    ids::{AgentId, DeliveryId},
    vault::{Hash, cosignature::WitnessKey},
};

/// Something a sleeper can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Jobs were enqueued.
    Jobs,
    /// A delivery for this agent may be leased.
    Inbox(AgentId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Jobs => f.write_str("jobs"),
            Topic::Inbox(agent) => write!(f, "inbox.{agent}"),
        }
    }
}

impl std::str::FromStr for Topic {
    type Err = crate::ids::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("inbox.") {
            Some(agent) => agent.parse().map(Topic::Inbox),
            None => Ok(Topic::Jobs),
        }
    }
}

/// Hints, across processes, that there is something to do: a lost hint costs the sleeper one polling interval, never the work.
pub trait Wake: Send + Sync + fmt::Debug {
    /// Tells every process that `topic` may have something. Returns at once. Call it after the commit, never before.
    fn wake(&self, topic: Topic);

    /// A bell that rings when a hint for `topic` arrives from any process. Take it before looking, wait on it after finding
    /// nothing: [`Notify`] keeps one ring for who was not yet waiting.
    fn bell(&self, topic: Topic) -> Arc<Notify>;
}

/// One attempt to hand a delivery to its recipient's endpoint.
#[derive(Debug, Clone)]
pub struct PushRequest {
    /// Becomes `webhook-id`: the same for every attempt, so that the recipient can tell a repeat.
    pub delivery: DeliveryId,
    /// Becomes `webhook-timestamp`.
    pub at: crate::clock::Timestamp,
    /// Where to; `http` or `https`.
    pub endpoint: url::Url,
    /// The JSON document, the same bytes that are signed.
    pub body: bytes::Bytes,
    /// W3C `traceparent` of the request that caused it.
    pub traceparent: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// The endpoint answered 2xx: it has the delivery.
    Delivered,
    /// It did not; what happened, in words fit for the sender and the recipient to read.
    Failed(String),
}

/// Sends a delivery to the endpoint of its recipient. An effect: called only from a job.
pub trait Push: Send + Sync + fmt::Debug {
    /// One attempt, bounded by its own timeout.
    fn push(&self, request: PushRequest) -> BoxFuture<'_, PushOutcome>;
}

/// A mail, of text alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Whom to.
    pub to: crate::identity::Email,
    /// One line.
    pub subject: String,
    /// The text, its lines ended by `\n`.
    pub text: String,
}

impl Mail {
    /// What names this mail and no other: 32 hexadecimal digits of SHA-256 over all of it.
    pub fn key(&self) -> String {
        let whole = format!("{}\n{}\n{}", self.to, self.subject, self.text);
        crate::crypto::hex(&crate::crypto::sha256(whole.as_bytes())[..16])
    }
}

/// Why a mail was not sent, in words for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail was not sent: {0}")]
pub struct MailFailed(pub String);

/// Sends mail. An effect: called only from a job.
pub trait Mailer: Send + Sync + fmt::Debug {
    /// One attempt, bounded by its own timeout. The same mail again carries the same [`Mail::key`], so that a provider or a mailbox can tell a repeat;
    /// a mail with another token is another mail.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailFailed>>;
}

/// A witness of the vault's logs: somebody else, who cosigns a log's checkpoint once it is proved to continue the last one that it saw (C2SP
/// tlog-witness). An effect: called only from a job, and by the guard against rollback, for which nobody waits.
pub trait Witness: Send + Sync + fmt::Debug {
    /// Its name and key, to verify its answers with.
    fn key(&self) -> &WitnessKey;

    /// Asks for its cosignature of `checkpoint`, a signed note of ours. `old_size` is the size that it cosigned last, in leaves, and `proof`
    /// the consistency proof from there, which is empty from 0 and to the same size. Whoever does not know the size says 0, and is told.
    ///
    /// One attempt, bounded by its own timeout; the same again is harmless. The signature lines it answered with, without their newlines,
    /// none of them verified: [`WitnessKey::find`] does that.
    ///
    /// # Errors
    /// [`WitnessRefused`] says whether another proof, an operator or time would help.
    fn add_checkpoint<'a>(
        &'a self,
        old_size: u64,
        proof: &'a [Hash],
        checkpoint: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, WitnessRefused>>;
}

/// Why a witness did not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefused {
    /// It cosigned another size last than the one the proof began at: prove from this one. A size above the checkpoint's means that it has seen a
    /// newer one, from another process or from before a backup was restored.
    #[error("the witness cosigned the size {size} last")]
    Behind {
        /// Leaves.
        size: u64,
    },
    /// What it cosigned is not how this checkpoint's tree begins: it has seen another history. In words for the operator.
    #[error("the witness has seen another tree: {0}")]
    Forked(String),
    /// It will not, and asking again does not help. In words for the operator, with nothing of what the witness said.
    #[error("the witness refused: {0}")]
    Refused(String),
    /// It was not reached, or has a fault that may pass. In words for the operator.
    #[error("the witness is away: {0}")]
    Away(String),
}

/// Counts requests per subject.
pub trait RateCounter: Send + Sync + fmt::Debug {
    /// Takes one of the `quota` requests that `subject` may make in each window of `window_seconds`. `None` when no shared counter can be
    /// reached: the caller then counts in its own process.
    fn take<'a>(&'a self, subject: &'a str, quota: u32, window_seconds: u32) -> BoxFuture<'a, Option<RateDecision>>;
}

/// What is left of a quota after a request asked for its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    /// Whether this request may go on.
    pub allowed: bool,
    /// How many more may follow at once.
    pub remaining: u32,
    /// Seconds until the whole quota is there again.
    pub reset_seconds: u32,
    /// Seconds until one more request may be made; 0 when it may at once.
    pub retry_after_seconds: u32,
}
