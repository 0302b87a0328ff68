//! Proposals, which wait for a person.

use std::time::Duration;

use dev::{AppOptions, TestApp};
use kernel::{Clock, caller::Role, queue::Outcome};
use serde_json::{Value, json};
use vault::{self, format::receipt::Receipt, jobs::ExpireProposal};

use crate::people::Company;

fn hold() -> Value {
    let payload = json!({"amount": 900});
    json!({
        "kind": "refund", "verdict": "HOLD", "payload": payload, "session_id": "run",
        "expires_in_seconds": 600,
    })
}

impl Company {
    async fn propose(&self, key: &str) -> u64 {
        let answer = self
            .app
            .post("/v1/vault/seals")
            .key(key)
            .header("holdfast-project", &self.app.project().to_string())
            .json(&hold())
            .send();
        answer.await.unwrap().expect::<Value>(201).unwrap()["index"].as_u64().unwrap()
    }

    async fn decide(&self, token: &str, index: u64, how: &str) -> testkit::client::Reply {
        let path = format!("/v1/vault/proposals/{index}/{how}");
        let request =
            self.app.post(&path).key(token).header("holdfast-project", &self.app.project().to_string());
        request.json(&json!({"reason": "seen the invoice"})).send().await.unwrap()
    }

    async fn proposals(&self, query: &str) -> Vec<Value> {
        let reply =
            self.app.get(&format!("/v1/vault/proposals{query}")).key(self.app.key()).send().await.unwrap();
        reply.expect::<Value>(200).unwrap()["data"].as_array().unwrap().clone()
    }
}

/// A proposal that was changed is neither shown nor decided.
#[tokio::test]
async fn a_damaged_proposal_is_not_decided() {
    let company = Company::start().await;
    let index = company.propose(company.app.key()).await;
    let changed = "UPDATE vault_entries SET entry = convert_to(\
                       replace(convert_from(entry, 'UTF8'), '\"amount\":900', '\"amount\":1'), 'UTF8')";
    super::fsck::tamper(&company.app, "vault_entries", changed).await;
    let project = company.app.project().to_string();
    for path in ["/v1/vault/proposals", &format!("/v1/vault/proposals/{index}"), "/v1/vault/seals"] {
        let reply = company.app.get(path).key(company.app.key()).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (500, "log_damaged"), "{path}");
    }
    let admin = company.member(Role::Admin).await;
    for how in ["approve", "reject"] {
        let request = company.app.post(&format!("/v1/vault/proposals/{index}/{how}")).key(&admin.token);
        let request = request.header("holdfast-project", &project).json(&json!({"reason": "seen"}));
        let reply = request.send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (500, "log_damaged"), "{how}: {}", reply.json());
    }
}

#[tokio::test]
async fn a_person_decides_and_the_decision_is_sealed() {
    let company = Company::start().await;
    let index = company.propose(company.app.key()).await;
    let other = company.propose(company.app.key()).await;
    assert_eq!(company.proposals("?open=true").await.len(), 2);

    let developer = company.member(Role::Developer).await;
    let admin = company.member(Role::Admin).await;
    assert_eq!(company.decide(&developer.token, index, "approve").await.code(), "permission_missing");
    assert_eq!(company.decide(company.app.key(), index, "approve").await.status, 403);
    let decided: Value = company.decide(&admin.token, index, "approve").await.expect(201).unwrap();
    company.decide(&admin.token, other, "reject").await.expect::<Value>(201).unwrap();
    for how in ["approve", "reject"] {
        assert_eq!(company.decide(&company.owner.token, index, how).await.code(), "proposal_decided");
    }
    let found = async |index: u64| -> testkit::client::Reply {
        company.app.get(&format!("/v1/vault/proposals/{index}")).key(company.app.key()).send().await.unwrap()
    };
    let (approved, rejected): (Value, Value) =
        (found(index).await.expect(200).unwrap(), found(other).await.expect(200).unwrap());
    assert_eq!((&approved["decision"], &approved["decided_by"]), (&json!("approved"), &decided["index"]));
    assert_eq!((&rejected["decision"], &rejected["index"]), (&json!("rejected"), &json!(other)));
    assert_eq!(
        found(decided["index"].as_u64().unwrap()).await.code(),
        "not_found",
        "a decision is no proposal"
    );
    let seal = company.app.post("/v1/vault/seals").key(company.app.key()).json(&super::seal(1)).send();
    let plain = seal.await.unwrap().expect::<Value>(201).unwrap()["index"].as_u64().unwrap();
    for none in [plain, 99, u64::MAX] {
        let refused = company.decide(&admin.token, none, "approve").await;
        assert_eq!(refused.json()["detail"], format!("There is no proposal {none} in this project"));
    }
    let beyond = format!("/v1/vault/seals/{}", u64::MAX);
    let beyond = company.app.get(&beyond).key(company.app.key()).send().await.unwrap();
    assert_eq!(beyond.json()["detail"], format!("There is no seal {} in this project", u64::MAX));

    let path = format!("/v1/vault/seals/{}", decided["index"]);
    let seal: Value =
        company.app.get(&path).key(company.app.key()).send().await.unwrap().expect(200).unwrap();
    assert_eq!(
        (&seal["kind"], &seal["verdict"], &seal["actor"]),
        (&json!("proposal.approved"), &json!("SEAL"), &json!(admin.id))
    );
    assert_eq!(
        (&seal["payload"]["proposal"], &seal["payload"]["reason"]),
        (&json!(index), &json!("seen the invoice"))
    );
    assert_eq!(seal["session_id"], "run");
    assert!(company.proposals("?open=true").await.is_empty());
    let settled = company.proposals("?open=false").await;
    assert_eq!(
        settled.iter().map(|one| one["decision"].as_str().unwrap()).collect::<Vec<_>>(),
        ["rejected", "approved"]
    );
}

#[tokio::test]
async fn nobody_decides_what_they_proposed_and_one_of_many_decides() {
    let company = Company::start().await;
    let index = company.propose(&company.owner.token).await;
    assert_eq!(company.decide(&company.owner.token, index, "approve").await.status, 403);
    let (ada, bob) = (company.member(Role::Admin).await, company.member(Role::Admin).await);
    let both = futures::future::join_all([
        company.decide(&ada.token, index, "approve"),
        company.decide(&bob.token, index, "reject"),
        company.decide(&ada.token, index, "reject"),
    ]);
    let mut statuses: Vec<u16> = both.await.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
}

#[tokio::test]
async fn what_nobody_decides_is_void() {
    let clock = Clock::held("2026-11-21T12:00:00Z".parse().unwrap());
    let options = AppOptions { worker: false, clock: clock.clone(), ..Default::default() };
    let company = Company::of(TestApp::start_with(options).await.unwrap()).await;
    let (late, decided) =
        (company.propose(company.app.key()).await, company.propose(company.app.key()).await);
    company.decide(&company.owner.token, decided, "approve").await.expect::<Value>(201).unwrap();
    let vault = company.app.vault().unwrap();
    let expire = async |proposal: u64| {
        vault::expire(&vault, &ExpireProposal { project: company.app.project(), proposal }).await.unwrap()
    };
    clock.advance(Duration::from_secs(590));
    assert_eq!(company.proposals("?open=true").await.len(), 1);
    assert_eq!(expire(late).await, Outcome::Snooze(Duration::from_secs(10)), "it can still be decided");
    clock.advance(Duration::from_secs(11));
    // Its expiry is not sealed yet.
    assert!(company.proposals("?open=true").await.is_empty());
    assert_eq!(company.proposals("?open=false").await.len(), 2);
    let admin = company.member(Role::Admin).await;
    assert_eq!(company.decide(&admin.token, late, "approve").await.code(), "proposal_decided");

    // A job may run twice.
    for proposal in [late, decided, late] {
        assert_eq!(expire(proposal).await, Outcome::Done);
    }
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT actor, subject FROM audit_events WHERE action = 'proposal.expired'")
            .fetch_all(company.app.core().db.pool())
            .await
            .unwrap();
    assert_eq!(rows, [("system".to_owned(), format!("{}/{late}", company.app.project()))]);
    let receipt =
        company.app.get(&format!("/v1/vault/seals/{late}/receipt")).key(company.app.key()).send().await;
    let receipt = Receipt::parse(&receipt.unwrap().text()).unwrap();
    let entry: Value = serde_json::from_slice(receipt.entry.as_ref().unwrap()).unwrap();
    assert_eq!(
        (&entry["at"], &entry["expires_at"]),
        (&json!("2026-11-21T12:00:00.000000Z"), &json!("2026-11-21T12:10:00.000000Z"))
    );
    let seals: Value = company
        .app
        .get("/v1/vault/seals?kind=proposal.expired")
        .key(company.app.key())
        .send()
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let seals = seals["data"].as_array().unwrap();
    assert_eq!(seals.len(), 1);
    assert_eq!(
        (&seals[0]["verdict"], &seals[0]["actor"], &seals[0]["payload"]["proposal"]),
        (&json!("VOID"), &json!("system"), &json!(late))
    );
    let jobs: i64 =
        sqlx::query_scalar("SELECT count(*) FROM jobs WHERE kind = 'vault.expire_proposal' AND run_at > $1")
            .bind(clock.now() - chrono::TimeDelta::minutes(5))
            .fetch_one(company.app.core().db.pool())
            .await
            .unwrap();
    assert_eq!(jobs, 2, "each proposal has a job that ends it");
}
