//! A load balancer for tests of deploys, like the one before the replicas of the API in production,
//! as far as a deploy touches it.
//!
//! A replica is asked for its readiness once, before it takes traffic. After that, only refused
//! connections tell the proxy that a replica is gone. Only a refused request is tried elsewhere,
//! since a request that may have reached a replica may have been done. Connections to the replicas
//! are kept and shared by all clients.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use reqwest::Url;
use tokio::{net::TcpListener, task::JoinHandle};

/// The timeout of a replica's readiness.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// Headers that concern one connection and are not passed on.
const OF_THE_CONNECTION: [header::HeaderName; 5] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::HOST, header::TRANSFER_ENCODING, header::UPGRADE];

/// A running proxy. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    url: Url,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    http: reqwest::Client,
    replicas: Mutex<Vec<Url>>,
    turn: AtomicUsize,
    refused: AtomicUsize,
}

impl Proxy {
    /// Listens on a free port. No replica is behind it yet.
    ///
    /// # Errors
    /// Fails when no port is free.
    pub async fn start() -> Result<Self> {
        // Fails if it is installed already, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let shared =
            Arc::new(Shared { http: http.retry(reqwest::retry::never()).build()?, ..Shared::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?).parse()?;
        let router = Router::new().fallback(pass_on).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            // Ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, shared, serving })
    }

    /// Returns the URL for clients.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits until a replica is ready, and then gives it its share of the requests.
    ///
    /// # Errors
    /// Fails when the replica does not become ready.
    pub async fn admit(&self, replica: &Url) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        let ready = replica.join("/health/ready")?;
        while !self
            .shared
            .http
            .get(ready.clone())
            .send()
            .await
            .is_ok_and(|reply| reply.status() == StatusCode::OK)
        {
            ensure!(Instant::now() < deadline, "the replica at {replica} does not get ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.shared.with_replicas(|replicas| replicas.push(replica.clone()));
        Ok(())
    }

    /// Sends no more requests to a replica.
    pub fn retire(&self, replica: &Url) {
        self.shared.with_replicas(|replicas| replicas.retain(|other| other != replica));
    }

    /// Returns how often a connection was refused and the request went to another replica.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn with_replicas<T>(&self, look: impl FnOnce(&mut Vec<Url>) -> T) -> T {
        look(&mut self.replicas.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// Returns all replicas, beginning with the next one in turn.
    fn in_turn(&self) -> Vec<Url> {
        let mut replicas = self.with_replicas(|replicas| replicas.clone());
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % replicas.len().max(1);
        replicas.rotate_left(first);
        replicas
    }
}

async fn pass_on(
    State(shared): State<Arc<Shared>>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    OF_THE_CONNECTION.iter().for_each(|name| drop(headers.remove(name)));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut failure = "there is no replica".to_owned();
    for replica in shared.in_turn() {
        let Ok(url) = replica.join(path) else { continue };
        let request = shared.http.request(method.clone(), url).headers(headers.clone()).body(body.clone());
        match request.send().await {
            Ok(answer) => return answered(answer).await,
            Err(error) => {
                let refused = error.is_connect();
                failure = format!("{:#}", anyhow::Error::from(error));
                if !refused {
                    break;
                }
                shared.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    bad_gateway(failure)
}

async fn answered(answer: reqwest::Response) -> Response {
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    OF_THE_CONNECTION.iter().for_each(|name| drop(headers.remove(name)));
    match answer.bytes().await {
        Ok(body) => (status, headers, Body::from(body)).into_response(),
        Err(error) => bad_gateway(format!("an incomplete response: {:#}", anyhow::Error::from(error))),
    }
}

fn bad_gateway(failure: String) -> Response {
    (StatusCode::BAD_GATEWAY, failure).into_response()
}
