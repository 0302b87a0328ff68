//! An agent that is pushed to: a small web server that checks its deliveries.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use reqwest::Url;
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

/// The room for deliveries: more than the tour ever sends.
const ROOM: usize = 16;

/// A delivery as it arrived.
#[derive(Debug)]
pub(super) struct Pushed {
    id: String,
    timestamp: String,
    signature: String,
    body: Bytes,
}

impl Pushed {
    /// Returns the delivery.
    pub(super) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).context("what was pushed is not JSON")
    }

    /// Returns whether the `v1a` signature of Standard Webhooks was made by `public_key`
    /// (`whpk_…`), over the identifier, the time and the received bytes.
    pub(super) fn verifies(&self, public_key: &str) -> Result<bool> {
        let key =
            STANDARD.decode(public_key.strip_prefix("whpk_").context("not a public key for webhooks")?)?;
        let key = VerifyingKey::from_bytes(key.as_slice().try_into()?)?;
        let message = [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", &self.body].concat();
        let mut signatures = self.signature.split(' ').filter_map(|versioned| versioned.strip_prefix("v1a,"));
        Ok(signatures.any(|signature| {
            let signature =
                STANDARD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
            signature.is_some_and(|signature| key.verify_strict(&message, &signature).is_ok())
        }))
    }
}

/// The server. Its first response is a failure, to show that the push is repeated.
#[derive(Debug)]
pub(super) struct Recipient {
    address: SocketAddr,
    arrivals: mpsc::Receiver<Pushed>,
    server: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Door {
    arrivals: mpsc::Sender<Pushed>,
    failed_once: Arc<AtomicBool>,
}

impl Recipient {
    /// Listens on a free port of this machine.
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, arrivals) = mpsc::channel(ROOM);
        let door = Door { arrivals: sender, failed_once: Arc::default() };
        let router = Router::new().route("/inbox", post(arrive)).with_state(door);
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, arrivals, server })
    }

    /// Returns the URL to register as the agent's endpoint.
    pub(super) fn endpoint(&self) -> Result<Url> {
        Ok(format!("http://{}/inbox", self.address).parse()?)
    }

    /// Waits for the next delivery.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<Pushed> {
        match tokio::time::timeout(patience, self.arrivals.recv()).await {
            Ok(Some(pushed)) => Ok(pushed),
            _ => bail!("nothing was pushed within {} s", patience.as_secs()),
        }
    }
}

impl Drop for Recipient {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn arrive(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let pushed = Pushed {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
        body,
    };
    if door.arrivals.try_send(pushed).is_err() || !door.failed_once.swap(true, Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::NO_CONTENT
}
