//! A client of the API for tests, the tour and benchmarks. It can also send wrong requests.
//!
//! [`Request::sign`] signs a request as it is at that moment; a change after that is tampering.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kernel::Clock;
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    met_codes,
    sign::{Identity, Signing, content_digest},
};

/// Longer than the longest long poll.
const TIMEOUT: Duration = Duration::from_secs(75);

/// A client of one instance of the API. Cloning shares the connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    clock: Clock,
}

impl Client {
    /// Creates a client of the API at `base`. Signatures get their dates from `clock`.
    ///
    /// # Errors
    /// Fails when the HTTP client cannot be created.
    pub fn new(base: Url, clock: Clock) -> Result<Self> {
        // Fails if it is installed already, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { http, base, clock })
    }

    /// Returns the URL of the API.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Starts a `GET` of a path, with its query.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// Starts a `POST` to a path.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// Starts a `DELETE` of a path.
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    /// Starts a request with any method and path.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        Request {
            http: self.http.clone(),
            clock: self.clock.clone(),
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            fault: None,
        }
    }
}

/// A request that is being built. A clone of a signed request is a replay.
#[derive(Debug, Clone)]
#[must_use = "a request is made by `send`"]
pub struct Request {
    http: reqwest::Client,
    clock: Clock,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The first step that failed, which `send` returns.
    fault: Option<String>,
}

impl Request {
    /// Adds `Authorization: Bearer` with an API key.
    pub fn key(self, key: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {key}"))
    }

    /// Sets a header, replacing the present one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.fault = Some(format!("not a header: {name}: {value}")),
        }
        self
    }

    /// Adds a header, beside others of the same name.
    pub fn another_header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.fault = Some(format!("not a header: {name}: {value}")),
        }
        self
    }

    /// Removes a header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Sets a JSON body.
    pub fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body(bytes).header(CONTENT_TYPE.as_str(), "application/json"),
            Err(error) => Self { fault: Some(format!("the body is not JSON: {error}")), ..self },
        }
    }

    /// Sets any bytes as the body, without a `Content-Type`.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Signs the request as it is, correctly.
    pub fn sign(self, signer: &Identity) -> Self {
        let signing = Signing::by(signer, &self.clock);
        self.sign_with(signing)
    }

    /// Signs the request as it is. `content-digest` is added if there is a body, and otherwise not
    /// covered.
    pub fn sign_with(mut self, mut signing: Signing) -> Self {
        if self.body.is_empty() {
            signing.components.retain(|component| component != "content-digest");
        } else if !self.headers.contains_key("content-digest") {
            let digest = content_digest(&self.body);
            self = self.header("content-digest", &digest);
        }
        match signing.sign(&self.method, &self.url, &self.headers) {
            Ok((input, signature)) => self.header("signature-input", &input).header("signature", &signature),
            Err(error) => Self { fault: Some(format!("cannot sign: {error:#}")), ..self },
        }
    }

    /// Replaces path and query, also after signing.
    pub fn retarget(mut self, path_and_query: &str) -> Self {
        match self.url.join(path_and_query) {
            Ok(url) => self.url = url,
            Err(error) => self.fault = Some(format!("{path_and_query} is no target: {error}")),
        }
        self
    }

    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    /// Fails when there is no response, whatever its status.
    pub async fn send(self) -> Result<Reply> {
        if let Some(fault) = self.fault {
            bail!("{fault}");
        }
        let what = format!("{} {}", self.method, self.url);
        let (method, path) = (self.method.to_string(), self.url.path().to_owned());
        let answer =
            self.http.request(self.method, self.url).headers(self.headers).body(self.body).send().await;
        let answer = answer.with_context(|| format!("no answer to {what}"))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body =
            answer.bytes().await.with_context(|| format!("an incomplete response to {what}"))?.to_vec();
        if status >= 400 {
            met_codes::note(&method, &path, &body);
        }
        Ok(Reply { what, status, headers, body })
    }
}

/// A response, read whole.
#[derive(Debug, Clone)]
pub struct Reply {
    what: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns a header's text, which is empty if the header is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the body as JSON, or null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the `code` of the problem, or an empty text if the body is not a problem.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the body as `T`, if the status is the expected one.
    ///
    /// # Errors
    /// Fails with the whole response if the status is another one.
    pub fn expect<T: DeserializeOwned>(&self, status: u16) -> Result<T> {
        let text = String::from_utf8_lossy(&self.body);
        ensure!(
            self.status == status,
            "{} was answered with {} instead of {status}: {text}",
            self.what,
            self.status
        );
        serde_json::from_slice(if self.body.is_empty() { b"null" } else { &self.body })
            .with_context(|| format!("{} was answered with an unexpected body: {text}", self.what))
    }
}
