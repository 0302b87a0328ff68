//! Writers that write while things break. Each makes sure of one seal after the other, in one of
//! the ways that the API offers for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testkit::{Client, Identity, client::Request};

/// The time within which a seal must be acknowledged.
const PATIENCE: Duration = Duration::from_secs(40);

/// The way in which a writer knows that a seal was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Only by the answer: a seal whose answer was lost is made again.
    Plain,
    /// By an `Idempotency-Key`: a repeat gets the first answer.
    Keyed,
    /// By a signature's nonce, which is consumed in the commit of the seal: the replay of a signed
    /// request whose seal was made is refused.
    Signed,
    /// By both: the replay of the signed request gets the first answer.
    SignedAndKeyed,
}

/// A seal that was acknowledged.
#[derive(Debug)]
pub struct Done {
    /// The id in its payload.
    pub id: String,
    /// The way in which it was made sure of.
    pub way: Way,
    /// The receipt, or `None` where only the nonce proved that it was made.
    pub answer: Option<Value>,
    /// The number of requests for it.
    pub tries: usize,
}

/// The writers' replicas, key and agent.
#[derive(Clone)]
pub struct Crew {
    /// The replicas. Signatures are for the URL of the first, which is the public URL of all of
    /// them.
    pub replicas: Vec<Client>,
    /// The project's key.
    pub key: String,
    /// An agent of the project.
    pub agent: Identity,
    /// True once nobody should begin another seal.
    pub over: Arc<AtomicBool>,
}

impl Crew {
    /// Starts `count` writers, half of them with a key, a quarter with a signature. Each makes at
    /// least `least` seals and continues until `over`.
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
            // The signature is still that of the first replica's URL.
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

/// Returns all acknowledged seals, once every writer has ended.
pub async fn all(writers: Vec<tokio::task::JoinHandle<Vec<Done>>>) -> Vec<Done> {
    let mut all = Vec::new();
    for writer in writers {
        all.extend(writer.await.unwrap());
    }
    all
}
