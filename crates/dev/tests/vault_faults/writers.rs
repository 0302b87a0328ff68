//! Those who write while things break: each makes sure of one seal after the other, in one of the
//! ways that the API offers for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::{Client, Identity, client::Request};

/// A seal that is not acknowledged within this will not be.
const PATIENCE: Duration = Duration::from_secs(40);

/// How a writer knows that a seal was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Only by the answer: a seal whose answer was lost is made again.
    Plain,
    /// By an `Idempotency-Key`: asked again, the first answer comes.
    Keyed,
    /// By a signature's nonce, which is spent in the commit of the seal: the replay of a signed
    /// request that was made is refused.
    Signed,
    /// By both: the replay of the signed request brings the first answer.
    SignedAndKeyed,
}

/// A seal that was acknowledged.
#[derive(Debug)]
pub struct Done {
    /// What its payload is called.
    pub id: String,
    /// How it was made sure of.
    pub way: Way,
    /// The receipt; none where the nonce said that it was made.
    pub answer: Option<Value>,
    /// How often it was asked for.
    pub tries: usize,
}

/// Who writes, and to whom.
#[derive(Clone)]
pub struct Crew {
    /// The replicas. Signatures are for the URL of the first, which all of them have as their
    /// public one.
    pub replicas: Vec<Client>,
    /// The project's key.
    pub key: String,
    /// An agent of the project.
    pub agent: Identity,
    /// When nobody is to begin another seal.
    pub over: Arc<AtomicBool>,
}

impl Crew {
    /// `count` writers, half of them with a key, a quarter with a signature. Each makes `least`
    /// seals and goes on until it is over.
    pub fn start(&self, count: usize, least: usize) -> Vec<tokio::task::JoinHandle<Vec<Done>>> {
        let ways = [
            Way::Plain,
            Way::Keyed,
            Way::Plain,
            Way::Keyed,
            Way::Plain,
            Way::Keyed,
            Way::Signed,
            Way::SignedAndKeyed,
        ];
        (0..count)
            .map(|writer| tokio::spawn(self.clone().write(writer, ways[writer % ways.len()], least)))
            .collect()
    }

    async fn write(self, writer: usize, way: Way, least: usize) -> Vec<Done> {
        let mut done = Vec::new();
        while done.len() < least || !self.over.load(Ordering::SeqCst) {
            done.push(self.seal(writer, done.len(), way).await);
        }
        done
    }

    /// Asks one replica after the other until it is known that the seal was made.
    async fn seal(&self, writer: usize, number: usize, way: Way) -> Done {
        let id = format!("{writer}.{number}");
        let mut seal = json!({"kind": "fault", "verdict": "SEAL", "payload": {"id": id}, "tags": ["t"]});
        match number % 8 {
            3 => seal["verdict"] = json!("HOLD"),
            5 => {
                seal["subject"] = json!(format!("subject {}", writer % 4));
                seal["personal"] = json!({"name": id});
            }
            _ => {}
        }
        let request = self.request(&id, &seal, way);
        let (start, mut tries) = (Instant::now(), 0);
        loop {
            assert!(start.elapsed() < PATIENCE, "{id} ({way:?}) was not acknowledged in {tries} tries");
            let replica = &self.replicas[(writer + tries) % self.replicas.len()];
            tries += 1;
            // The signature stays that of the first replica's URL.
            let to = replica.base().join("/v1/vault/seals").unwrap();
            let reply = match request.clone().retarget(to.as_str()).send().await {
                Ok(reply) => reply,
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            match (reply.status, reply.code().as_str()) {
                (201, _) => return Done { id, way, answer: Some(reply.json()), tries },
                (409, "nonce_replayed") if way == Way::Signed && tries > 1 => {
                    return Done { id, way, answer: None, tries };
                }
                (503, _) => assert!(!reply.header("retry-after").is_empty(), "{}", reply.text()),
                (409, "idempotency_in_flight") if [Way::Keyed, Way::SignedAndKeyed].contains(&way) => {}
                _ => panic!("{id} ({way:?}) was answered with {}: {}", reply.status, reply.text()),
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    fn request(&self, id: &str, seal: &Value, way: Way) -> Request {
        let request = self.replicas[0].post("/v1/vault/seals").json(seal);
        match way {
            Way::Plain => request.key(&self.key),
            Way::Keyed => request.key(&self.key).header("idempotency-key", id),
            Way::Signed => request.sign(&self.agent),
            Way::SignedAndKeyed => request.header("idempotency-key", id).sign(&self.agent),
        }
    }
}

/// All that was acknowledged, once everybody is done.
pub async fn all(writers: Vec<tokio::task::JoinHandle<Vec<Done>>>) -> Vec<Done> {
    let mut all = Vec::new();
    for writer in writers {
        all.extend(writer.await.unwrap());
    }
    all
}
