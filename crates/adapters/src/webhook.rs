//! Deliveries pushed to the endpoints of their recipients, by the Standard Webhooks specification
//! with its asymmetric signatures (`v1a`).
//!
//! A tenant chose the endpoint's URL, so a push is a request that somebody else aimed. It goes only
//! to addresses of the public internet. They are checked where the connection is made: the address
//! that was looked up and checked is the one connected to, so a name that resolves differently the
//! second time gains nothing. No redirect is followed, no proxy is asked, and hardly any of the
//! answer is read.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use domain::intents::{Push, PushRequest};
use futures::future::BoxFuture;
use kernel::effect::{Effect, Failed};
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect,
};
use url::{Host, Url};

mod key;

pub use self::key::{NotAWebhookKey, WebhookKey};
use crate::network::is_public;

/// The limit of one attempt, from the look-up of the name to the end of the answer.
const LIMIT: Duration = Duration::from_secs(15);
/// The most bytes that are read of an answer, so that a short one leaves its connection fit for the
/// next delivery.
const MAX_ANSWER: usize = 16 * 1024;

const REFUSED: &str = "the endpoint is not at an address of the public internet";

/// Pushes deliveries, signed with one key.
pub struct Webhooks {
    client: Client,
    key: WebhookKey,
    allow_private: bool,
}

impl Webhooks {
    /// Creates a pusher that signs with `key`. `allow_private` lets endpoints be on private
    /// networks: for development, or for an installation all of whose tenants are trusted.
    ///
    /// # Errors
    /// Fails when the machine has no usable certificate store.
    pub fn new(key: WebhookKey, allow_private: bool) -> reqwest::Result<Self> {
        // If it is installed already, it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("Holdfast/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(LIMIT)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .dns_resolver(Resolver { allow_private })
            .build()?;
        Ok(Self { client, key, allow_private })
    }

    async fn attempt(&self, request: PushRequest) -> Result<(), String> {
        self.check(&request.endpoint)?;
        let id = request.delivery.to_string();
        let timestamp = request.at.timestamp();
        let mut post = self
            .client
            .post(request.endpoint)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.key.sign(&id, timestamp, &request.body));
        if let Some(traceparent) = request.traceparent {
            post = post.header("traceparent", traceparent);
        }
        let response = post.body(request.body).send().await.map_err(|error| reason(&error))?;
        let status = response.status();
        drain(response).await;
        if status.is_success() {
            Ok(())
        } else if status.is_redirection() {
            Err(format!("the endpoint answered {}: redirects are not followed", status.as_u16()))
        } else {
            Err(format!("the endpoint answered {}", status.as_u16()))
        }
    }

    /// Checks the parts of the URL that the resolver is not asked about.
    fn check(&self, endpoint: &Url) -> Result<(), String> {
        if !matches!(endpoint.scheme(), "http" | "https") {
            return Err("the endpoint is neither http nor https".to_owned());
        }
        let address = match endpoint.host() {
            Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
            Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err("the endpoint names no host".to_owned()),
        };
        if self.allow_private || is_public(address) { Ok(()) } else { Err(REFUSED.to_owned()) }
    }
}

impl Push for Webhooks {
    fn push(&self, request: PushRequest) -> BoxFuture<'_, Effect> {
        Box::pin(async move { self.attempt(request).await.map_err(Failed::new) })
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhooks({})", self.key.public())
    }
}

/// Reads the rest of the answer. The status has decided already: a body that is long, slow or
/// broken changes nothing.
async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MAX_ANSWER {
            return;
        }
    }
}

/// Describes a failure for the sender and the recipient: no address, and nothing that the endpoint
/// said.
fn reason(error: &reqwest::Error) -> String {
    if is_refusal(error) {
        REFUSED.to_owned()
    } else if error.is_timeout() {
        format!("the endpoint did not answer within {} seconds", LIMIT.as_secs())
    } else if error.is_connect() {
        "no connection to the endpoint: its name, its port or its certificate did not work".to_owned()
    } else if error.is_builder() {
        "the endpoint is not a URL that can be called".to_owned()
    } else {
        "the connection broke before the endpoint answered".to_owned()
    }
}

fn is_refusal(error: &reqwest::Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source()).any(|error| error.is::<Refused>())
}

/// Looks names up as the system does, and leaves out addresses that are not public.
struct Resolver {
    allow_private: bool,
}

/// A name that has addresses, none of them public.
#[derive(Debug, thiserror::Error)]
#[error("{REFUSED}")]
struct Refused;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|at| allow_private || is_public(at.ip())).collect();
            if allowed.is_empty() {
                return Err(Refused.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
