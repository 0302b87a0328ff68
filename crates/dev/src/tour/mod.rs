//! `cargo dev tour`: one intent from end to end, told step by step and checked at each.
//!
//! Alice sends, Bob pulls from his inbox, Carol is pushed to. The tour fails at the first broken
//! promise.

mod recipient;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::app::register;
use recipient::Recipient;
use testkit::{
    Client, Identity,
    client::Reply,
    print,
    sign::{content_digest, verifies},
};

/// The timeout of whatever happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// Walks through the tour against the API of `client`, in the project of `key`.
///
/// # Errors
/// Fails with the first broken promise.
pub async fn run(client: &Client, key: &str) -> Result<()> {
    let started = Instant::now();
    let mut tour = Tour { client, key, step: 0, checks: 0 };
    let cast = tour.register().await?;
    let sent = tour.send(&cast).await?;
    tour.pull(&cast, &sent).await?;
    tour.push(cast).await?;
    print::line(format!("\n{} checks held, in {:.1} s.", tour.checks, started.elapsed().as_secs_f32()));
    Ok(())
}

struct Cast {
    alice: Identity,
    bob: Identity,
    carol: Identity,
    recipient: Recipient,
}

struct Tour<'a> {
    client: &'a Client,
    key: &'a str,
    step: u32,
    checks: u32,
}

impl Tour<'_> {
    fn step(&mut self, what: &str) {
        self.step += 1;
        let (bold, plain) = if print::coloured() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        print::line(format!("\n{bold}{}. {what}{plain}", self.step));
    }

    fn check(&mut self, holds: bool, what: &str) -> Result<()> {
        if !holds {
            bail!("this does not hold: {what}");
        }
        self.checks += 1;
        let tick = if print::coloured() { "\x1b[32m✓\x1b[0m" } else { "✓" };
        print::line(format!("   {tick} {what}"));
        Ok(())
    }

    fn refused(&mut self, reply: &Reply, status: u16, code: &str, what: &str) -> Result<()> {
        if reply.status != status || reply.code() != code {
            bail!(
                "{what}: expected {status} {code}, the answer was {} {}",
                reply.status,
                String::from_utf8_lossy(&reply.body)
            );
        }
        self.check(true, &format!("{what}: {status} {code}"))
    }

    async fn register(&mut self) -> Result<Cast> {
        self.step("Three agents register. Each made its own key, and signs the request with it (RFC 9421)");
        let recipient = Recipient::start().await?;
        let [alice, bob, carol] = [Identity::generate(), Identity::generate(), Identity::generate()];
        let endpoint = recipient.endpoint()?;
        for (agent, name, does, more) in [
            (&alice, "Alice", "sends".to_owned(), json!({})),
            (&bob, "Bob", "pulls from his inbox".to_owned(), json!({})),
            (&carol, "Carol", format!("is pushed to at {endpoint}"), json!({"endpoint": endpoint})),
        ] {
            let made = register(self.client, self.key, agent, name, more).await?;
            self.check(made["did"] == agent.did(), &format!("{name} {does}: {}", agent.did()))?;
        }
        let pretender = Identity::generate();
        let claim = json!({"did": bob.did(), "public_key": bob.public_key(), "name": "Mallory"});
        let mut signing = testkit::Signing::by(&pretender, &kernel::Clock::system());
        signing.keyid = Some(bob.did().to_owned());
        let reply =
            self.client.post("/v1/agents").key(self.key).json(&claim).sign_with(signing).send().await?;
        self.refused(&reply, 401, "signature_invalid", "Mallory claims to be Bob, without his key")?;
        Ok(Cast { alice, bob, carol, recipient })
    }

    async fn send(&mut self, cast: &Cast) -> Result<String> {
        self.step("Alice signs an intent for Bob; the API accepts it in one commit");
        let payload = json!({"text": "Hello, Bob"});
        let wanted = json!({
            "to": cast.bob.did(), "type": "greeting", "payload": payload, "ttl_seconds": 600
        });
        let signed = self.client.post("/v1/intents").json(&wanted).sign(&cast.alice);
        let accepted: Value = signed.clone().send().await?.expect(202)?;
        let id = text(&accepted["id"])?;
        self.check(accepted["state"] == "accepted", &format!("accepted: {id}"))?;
        let reply = signed.clone().send().await?;
        self.refused(&reply, 409, "nonce_replayed", "The same request sent again is not a second intent")?;
        let mut other = wanted.clone();
        other["payload"]["text"] = "Goodbye, Bob".into();
        let reply =
            self.client.post("/v1/intents").json(&wanted).sign(&cast.alice).json(&other).send().await?;
        self.refused(&reply, 400, "digest_mismatch", "A payload changed on its way")?;
        Ok(id)
    }

    async fn pull(&mut self, cast: &Cast, intent: &str) -> Result<()> {
        self.step("Bob pulls it from his inbox, and checks for himself who sent it");
        let asked = Instant::now();
        let inbox: Value =
            self.client.get("/v1/inbox?wait=30&max=10").sign(&cast.bob).send().await?.expect(200)?;
        let delivery = inbox["data"].get(0).context("Bob's inbox stayed empty")?;
        self.check(
            delivery["intent"]["id"] == intent && delivery["intent"]["payload"]["text"] == "Hello, Bob",
            &format!("leased to Bob after {} ms: \"Hello, Bob\"", asked.elapsed().as_millis()),
        )?;
        self.check(
            sent_by(cast.alice.did(), delivery)? && !sent_by(cast.carol.did(), delivery)?,
            "Alice's signature verifies offline against her DID; nobody else's does",
        )?;
        let seen = self.seen_by_alice(cast, intent).await?;
        self.check(seen["state"] == "leased", "Alice sees: leased")?;

        self.step("Bob acknowledges it; Alice sees that it arrived");
        let ack = format!("/v1/inbox/{}/ack", text(&delivery["id"])?);
        let stale = json!({"lease_token": "lse_00000000000070008000000000000000"});
        let reply = self.client.post(&ack).json(&stale).sign(&cast.bob).send().await?;
        self.refused(&reply, 409, "lease_lost", "With a token that is not his lease's")?;
        let token = json!({"lease_token": delivery["lease_token"]});
        let reply = self.client.post(&ack).json(&token).sign(&cast.bob).send().await?;
        self.check(reply.status == 204, "With his token: 204")?;
        let seen = self.seen_by_alice(cast, intent).await?;
        self.check(
            seen["state"] == "acked" && seen["attempts"] == 1,
            "Alice sees: acked, at the first attempt",
        )?;
        let empty: Value = self.client.get("/v1/inbox").sign(&cast.bob).send().await?.expect(200)?;
        self.check(empty["data"] == json!([]), "Bob's inbox is empty")
    }

    async fn push(&mut self, mut cast: Cast) -> Result<()> {
        self.step(
            "Alice sends to Carol, whose endpoint fails at first; the worker pushes until it has the \
            delivery",
        );
        let wanted = json!({"to": cast.carol.did(), "type": "greeting", "payload": {"text": "Hello, Carol"}});
        let accepted: Value =
            self.client.post("/v1/intents").json(&wanted).sign(&cast.alice).send().await?.expect(202)?;
        let intent = text(&accepted["id"])?;
        let sent = Instant::now();
        let first = cast.recipient.next(PATIENCE).await?;
        self.check(
            first.json()?["intent"]["id"] == intent.as_str(),
            &format!("pushed to Carol after {} ms; she answers 503, on purpose", sent.elapsed().as_millis()),
        )?;
        let failed = Instant::now();
        let second = cast.recipient.next(PATIENCE).await?;
        let delivery = second.json()?;
        self.check(
            delivery["id"] == first.json()?["id"] && delivery["attempt"] == 2,
            &format!("pushed again after {:.1} s, as the same delivery", failed.elapsed().as_secs_f32()),
        )?;
        let keys: Value = self.client.get("/v1/webhook-keys").send().await?.expect(200)?;
        let public_key = text(&keys["data"][0]["public_key"])?;
        self.check(
            first.verifies(&public_key)? && second.verifies(&public_key)?,
            "Both are signed by this Holdfast (Standard Webhooks, v1a)",
        )?;
        self.check(sent_by(cast.alice.did(), &delivery)?, "Alice's own signature verifies here as well")?;
        let deadline = Instant::now() + PATIENCE;
        let seen = loop {
            let seen = self.seen_by_alice(&cast, &intent).await?;
            if seen["state"] == "acked" || Instant::now() > deadline {
                break seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.check(
            seen["state"] == "acked" && seen["attempts"] == 2,
            "Alice sees: acked, at the second attempt",
        )
    }

    async fn seen_by_alice(&self, cast: &Cast, intent: &str) -> Result<Value> {
        self.client.get(&format!("/v1/intents/{intent}")).sign(&cast.alice).send().await?.expect(200)
    }
}

/// Checks a sender without trusting Holdfast: the DID's key signed the base, the base has the
/// digest of the body, and the body is what was delivered.
fn sent_by(did: &str, delivery: &Value) -> Result<bool> {
    let envelope = &delivery["envelope"];
    let (base, body) = (text(&envelope["signature_base"])?, STANDARD.decode(text(&envelope["body"])?)?);
    let sent: Value = serde_json::from_slice(&body)?;
    Ok(verifies(did, base.as_bytes(), &text(&envelope["signature"])?)?
        && base.lines().any(|line| line == format!("\"content-digest\": {}", content_digest(&body)))
        && sent["to"] == delivery["intent"]["to"]
        && sent["payload"] == delivery["intent"]["payload"])
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("the answer lacks a text that it should have")
}
