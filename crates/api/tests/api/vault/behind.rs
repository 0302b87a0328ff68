//! A log that is older than what its witness saw.

use std::time::Duration;

use dev::{AppOptions, TestApp};
use kernel::ids::LogId;
use reqwest::Method;
use serde_json::json;
use testkit::Witness;

use super::{
    seal, sealed,
    witnesses::{cosigned, same},
};
use crate::people::Company;

#[tokio::test]
async fn a_log_that_is_behind_signs_nothing_whatever_asks_for_it() {
    let witness = Witness::start("witness.example").await.unwrap();
    let (app, _) = cosigned(&witness, 1).await;
    // The same deployment on another database, by a replica that does not ask the witness yet.
    let options = AppOptions { worker: false, variables: same(&app), ..Default::default() };
    let company = Company::of(TestApp::start_with(options).await.unwrap()).await;
    let older = &company.app;
    sealed(older, &json!({ "kind": "k", "verdict": "HOLD", "payload": 1 })).await;
    let personal = json!({ "kind": "k", "verdict": "SEAL", "payload": 1, "subject": "s", "personal": 1 });
    sealed(older, &personal).await;

    let behind = older.api_with("VAULT_WITNESSES", &witness.entry()).await.unwrap();
    let ask = async |method: Method, path: &str, body: Option<serde_json::Value>| {
        let request = behind.request(method, path).key(&company.owner.token);
        let request = request.header("holdfast-project", &older.project().to_string());
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let reply = request.send().await.unwrap();
        (reply.status, reply.code())
    };
    for _ in 0..100 {
        // Until the witness was asked.
        if ask(Method::GET, "/v1/vault/log", None).await.1 == "log_behind" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let checkpoint = format!("/v1/vault/logs/{}/checkpoint", LogId::from(older.project()));
    let reason = Some(json!({ "reason": "seen" }));
    for (method, path, body) in [
        (Method::GET, "/v1/vault/log", None),
        (Method::GET, "/v1/vault/log/witnessed", None),
        (Method::GET, "/v1/vault/seals/0/receipt", None),
        (Method::GET, &checkpoint, None),
        (Method::POST, "/v1/vault/seals", Some(seal(1))),
        (Method::POST, "/v1/vault/seals/batch", Some(json!({ "seals": [seal(1)] }))),
        (Method::POST, "/v1/vault/subjects/s/erase", None),
        (Method::POST, "/v1/vault/proposals/0/approve", reason.clone()),
        (Method::POST, "/v1/vault/proposals/0/reject", reason.clone()),
    ] {
        assert_eq!(ask(method, path, body).await, (503, "log_behind".to_owned()), "{path}");
    }
}
