//! A witness of logs, in process. It follows the rules of C2SP tlog-witness, remembers what it
//! cosigned as long as it lives, and cosigns no checkpoint that does not continue that. It is
//! written from the specification, with none of the code that it tests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use kernel::{Clock, Ids};
use signed_note::{Note, StandardVerifier, VerifierList, key_id};
use tlog_tiles::{Checkpoint, Hash, check_tree};
use tokio::{net::TcpListener, task::JoinHandle};

/// The type of a timestamped cosignature's key (signed-note).
const COSIGNATURE_V1: u8 = 4;

/// A running witness. Dropping it stops it.
#[derive(Debug)]
pub struct Witness {
    url: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    key: SigningKey,
    clock: Clock,
    logs: Mutex<HashMap<String, Log>>,
}

#[derive(Debug, Default)]
struct Log {
    trusted: Vec<String>,
    size: u64,
    root: Option<Hash>,
}

/// A refusal: its status and, for 409, the size that the witness knows.
type Refusal = (StatusCode, Option<u64>);

impl Witness {
    /// Starts a witness with a new key, on a free port, that knows no log yet.
    ///
    /// # Errors
    /// Fails when no port is free.
    pub async fn start(name: &str) -> Result<Self> {
        Self::start_at(name, Clock::system()).await
    }

    /// Starts a witness as [`start`](Self::start) does, with a clock of its own.
    ///
    /// # Errors
    /// Fails when no port is free.
    pub async fn start_at(name: &str, clock: Clock) -> Result<Self> {
        let key = SigningKey::from_bytes(&Ids::new(clock.clone()).bytes());
        let shared = Arc::new(Shared { name: name.to_owned(), key, clock, logs: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router =
            Router::new().route("/add-checkpoint", post(add_checkpoint)).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, shared, serving })
    }

    /// Accepts from now on checkpoints of the log `origin` that one of `keys`, its verifier keys,
    /// has signed.
    pub fn trust(&self, origin: &str, keys: &[String]) {
        self.shared.with(|logs| keys.clone_into(&mut logs.entry(origin.to_owned()).or_default().trusted));
    }

    /// Returns the size of the log `origin` that it cosigned last, or 0.
    pub fn size(&self, origin: &str) -> u64 {
        self.shared.with(|logs| logs.get(origin).map_or(0, |log| log.size))
    }

    /// Returns the entry for `VAULT_WITNESSES`: its verifier key and its URL.
    pub fn entry(&self) -> String {
        let Shared { name, .. } = &*self.shared;
        format!("{name}+{:08x}+{} {}", self.shared.id(), STANDARD.encode(self.shared.encoded()), self.url)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Log>) -> T) -> T {
        work(&mut self.logs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn encoded(&self) -> Vec<u8> {
        [&[COSIGNATURE_V1], self.key.verifying_key().as_bytes().as_slice()].concat()
    }

    fn id(&self) -> u32 {
        key_id(&self.name, &self.encoded())
    }

    /// Makes the checks in the order of the specification, and stores the new size before it
    /// answers, under one lock.
    fn judge(&self, request: &str) -> Result<String, Refusal> {
        const MALFORMED: Refusal = (StatusCode::BAD_REQUEST, None);
        let (head, note) = request.split_once("\n\n").ok_or(MALFORMED)?;
        let mut head = head.split('\n');
        let old = head.next().and_then(|line| line.strip_prefix("old ")).ok_or(MALFORMED)?;
        let old_size = old.parse::<u64>().ok().filter(|size| size.to_string() == old).ok_or(MALFORMED)?;
        let hash = |line: &str| Some(Hash(STANDARD.decode(line).ok()?.try_into().ok()?));
        let proof =
            head.map(hash).collect::<Option<Vec<_>>>().filter(|proof| proof.len() <= 63).ok_or(MALFORMED)?;
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| MALFORMED)?;
        let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|_| MALFORMED)?;
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        self.with(|logs| {
            let log = logs.get_mut(checkpoint.origin()).ok_or((StatusCode::NOT_FOUND, None))?;
            let verifier = |key: &String| {
                Some(Box::new(StandardVerifier::new(key).ok()?) as Box<dyn signed_note::Verifier>)
            };
            let known = VerifierList::new(log.trusted.iter().filter_map(verifier).collect());
            note.verify(&known).map_err(|_| (StatusCode::FORBIDDEN, None))?;
            if old_size > size {
                return Err(MALFORMED);
            }
            if old_size != log.size {
                return Err((StatusCode::CONFLICT, Some(log.size)));
            }
            let old_root = log.root.filter(|_| old_size > 0);
            let continues = match old_root {
                None => proof.is_empty(),
                Some(old_root) if old_size == size && old_root != root => {
                    return Err((StatusCode::CONFLICT, None));
                }
                Some(_) if old_size == size => proof.is_empty(),
                Some(old_root) => check_tree(&proof, size, root, old_size, old_root).is_ok(),
            };
            if !continues {
                return Err((StatusCode::UNPROCESSABLE_ENTITY, None));
            }
            (log.size, log.root) = (size, Some(root));
            Ok(self.cosign(note.text()))
        })
    }

    fn cosign(&self, text: &[u8]) -> String {
        let seconds = self.clock.now().timestamp().unsigned_abs();
        let message = [format!("cosignature/v1\ntime {seconds}\n").as_bytes(), text].concat();
        let signature = self.key.sign(&message).to_bytes();
        let line = [&self.id().to_be_bytes(), seconds.to_be_bytes().as_slice(), &signature].concat();
        format!("— {} {}\n", self.name, STANDARD.encode(line))
    }
}

async fn add_checkpoint(State(shared): State<Arc<Shared>>, request: String) -> Response {
    match shared.judge(&request) {
        Ok(line) => line.into_response(),
        Err((status, Some(size))) => {
            (status, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n")).into_response()
        }
        Err((status, None)) => status.into_response(),
    }
}
