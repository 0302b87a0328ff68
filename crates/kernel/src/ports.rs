//! Traits of dependencies that may fail or be absent. The signature is the policy, so a call site
//! cannot get it wrong.
//!
//! *Accelerators* return `Option` or `()`: they cannot fail. A miss falls back to SQL in Postgres,
//! a lost hint to polling. *Needed services* return `Result<_, Unavailable>`; *effects* (mail,
//! webhooks, witnesses) run only from jobs, whose retry is the fallback.
//!
//! Architecture invariant: only `adapters::guard::Guarded<Driver>` implements these for something
//! remote, so a raw client cannot be wired in past its timeout and circuit breaker.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::{
    crypto::Did,
    ids::{AgentId, ApiKeyId, NotAnId, ProjectId, SessionId, UserId},
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
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("inbox.") {
            Some(agent) => agent.parse().map(Topic::Inbox),
            None => Ok(Topic::Jobs),
        }
    }
}

/// Hints, across processes, that there is something to do: a lost hint costs the sleeper one
/// polling interval, never the work.
pub trait Wake: Send + Sync + fmt::Debug {
    /// Notifies every process that `topic` may have something. Returns at once. The unit of work
    /// calls it, after the commit.
    fn notify(&self, topic: Topic);

    /// Returns a [`Notify`] that fires when a hint for `topic` arrives from any process. Subscribe
    /// before looking, and wait after finding nothing: it keeps one notification for a sleeper that
    /// was not yet waiting.
    fn subscribe(&self, topic: Topic) -> Arc<Notify>;
}

/// Wakes nobody: for commands that run alone and end.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWake;

impl Wake for NoWake {
    fn notify(&self, _: Topic) {}

    fn subscribe(&self, _: Topic) -> Arc<Notify> {
        Arc::default()
    }
}

/// A credential, or all of a kind, that is no longer valid as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An API key was revoked, or ends sooner.
    ApiKey(ApiKeyId),
    /// An agent's registration changed.
    Agent(ProjectId, Did),
    /// A session ended.
    Session(SessionId),
    /// Sessions of a person ended, all or all but one.
    SessionsOf(UserId),
    /// A person's role in some organization changed.
    MembershipsOf(UserId),
}

/// Credentials that one replica remembers for a few seconds, so that authenticating a request costs
/// no round trip.
pub trait CredentialCache: Send + Sync + fmt::Debug {
    /// Forgets a credential. Other replicas forget it by themselves, within seconds. Returns at
    /// once. The unit of work calls it.
    fn forget(&self, credential: &Credential);
}

/// Remembers no credentials.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCredentials;

impl CredentialCache for NoCredentials {
    fn forget(&self, _: &Credential) {}
}

/// Counts requests per subject.
pub trait RateCounter: Send + Sync + fmt::Debug {
    /// Takes one of the `quota` requests that `subject` may make in each window of
    /// `window_seconds`. `None` when no shared counter can be reached: the caller then counts in
    /// its own process.
    fn take<'a>(
        &'a self,
        subject: &'a str,
        quota: u32,
        window_seconds: u32,
    ) -> BoxFuture<'a, Option<RateDecision>>;
}

/// The rest of a quota after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    /// True when this request may go on.
    pub allowed: bool,
    /// The number of requests that may follow at once.
    pub remaining: u32,
    /// Seconds until the whole quota is there again.
    pub reset_seconds: u32,
    /// Seconds until one more request may be made; 0 when it may at once.
    pub retry_after_seconds: u32,
}
