//! A server for one test, and the promises of its every answer.

use std::time::Duration;

use api::Config;
use domain::identity::ApiKey;
use kernel::{Clock, Code, Ids};
use reqwest::{Client, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use testkit::services::{self, TestDatabase};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The URL of no Postgres: nothing listens there.
const NOWHERE: &str = "postgres://nobody:unseen@127.0.0.1:1/none";

/// A server that ends with its test.
pub struct Api {
    /// Its address, without a slash at the end.
    pub url: String,
    pub http: Client,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
    _database: Option<TestDatabase>,
}

impl Api {
    /// Starts a server whose Postgres is away.
    pub async fn alone(variables: &[(&str, &str)]) -> Self {
        Self::start(NOWHERE, variables, None).await
    }

    /// Starts a server with a migrated database of its own, and waits until it is ready.
    pub async fn ready(variables: &[(&str, &str)]) -> Self {
        let database = services::shared().await.unwrap().postgres.database().await.unwrap();
        let url = database.url().to_owned();
        let api = Self::start(&url, variables, Some(database)).await;
        api.wait_until_ready().await;
        api
    }

    async fn start(database_url: &str, variables: &[(&str, &str)], database: Option<TestDatabase>) -> Self {
        // A program's start does this; here the first test of the process does it for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Config::from_pairs(pairs(&[
            &[
                ("PORT", port.to_string().as_str()),
                ("DATABASE_URL", database_url),
                ("RATE_LIMIT_PER_MINUTE", "0"),
                ("AUTH_RATE_LIMIT", "0"),
            ],
            variables,
        ]));
        let stop = CancellationToken::new();
        let served = tokio::spawn(api::serve(config.unwrap(), listener, stop.clone()));
        let http =
            Client::builder().timeout(Duration::from_secs(30)).redirect(reqwest::redirect::Policy::none());
        let url = format!("http://127.0.0.1:{port}");
        Self { url, http: http.build().unwrap(), stop, served, _database: database }
    }

    /// Waits until Postgres answers. The test fails if it does not soon.
    pub async fn wait_until_ready(&self) {
        for _ in 0..200 {
            if self.get("/health/ready").await.status == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not ready after 10 s: {}", self.get("/health").await.body);
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.at(path))).await
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sends a request, and checks the promises of every answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = self.http.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, body: response.text().await.unwrap() };
        if status >= 400 {
            testkit::met_codes::note(&method, &path, answer.body.as_bytes());
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), value);
        }
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert!(!answer.header("x-request-id").is_empty() && !answer.header("cache-control").is_empty());
        answer
    }

    /// Asks the server to stop and returns how it ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        (&mut self.served).await.unwrap()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The answer of a server.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// Returns a header's value, which is empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    /// Checks that this is the problem `code`, complete, and returns it.
    pub fn problem(&self, status: u16, code: Code) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        let problem = self.json();
        assert_eq!(problem["code"], code.as_str());
        assert_eq!(problem["type"], format!("/problems#{}", code.as_str()));
        assert_eq!(problem["title"], code.title());
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
        problem
    }
}

/// Returns variables for [`Config::from_pairs`], with those that are required; later ones win.
pub fn pairs(lists: &[&[(&str, &str)]]) -> Vec<(String, String)> {
    let given =
        lists.iter().copied().flatten().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let needed = [
        ("SECRETS_KEY", "hfsk"),
        ("WEBHOOK_SIGNING_KEY", "whsk"),
        ("JWT_SIGNING_KEY", "jwtk"),
        ("VAULT_SIGNING_KEY", "vsk"),
        ("VAULT_KEK", "vkek"),
    ];
    let needed = needed.map(|(name, prefix)| (name.to_owned(), format!("{prefix}_{secret}")));
    needed.into_iter().chain(given).collect()
}

/// Returns a key of the right form that no project has.
pub fn unknown_api_key() -> String {
    ApiKey::generate(&Ids::new(Clock::system()), "test").reveal()
}
