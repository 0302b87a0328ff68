//! Forgetting a subject.

use domain::crypto::{hex, sha256};
use serde_json::{Value, json};

use super::{app, receipt, sealed, verifies};

fn about(subject: &str, name: &str) -> Value {
    json!({"kind": "kyc", "verdict": "ALLOW", "payload": {"score": 7}, "subject": subject, "personal": {"name": name}})
}

#[tokio::test]
async fn personal_data_is_shown_proved_and_then_gone() {
    let app = app().await;
    let get = async |index: u64| -> Value {
        app.get(&format!("/v1/vault/seals/{index}")).key(app.key()).send().await.unwrap().expect(200).unwrap()
    };
    let erase = async |subject: &str| {
        app.post(&format!("/v1/vault/subjects/{subject}/erase")).key(app.key()).send().await.unwrap()
    };
    for (subject, name) in [("s1", "Ada Lovelace"), ("s1", "Ada King"), ("s2", "Bob")] {
        sealed(&app, &about(subject, name)).await;
    }
    let seal = get(0).await;
    assert_eq!(seal["personal"]["value"], json!({"name": "Ada Lovelace"}));
    let salt = seal["personal"]["salt"].as_str().unwrap();
    let salt: Vec<u8> = (0..32).map(|n| u8::from_str_radix(&salt[n * 2..n * 2 + 2], 16).unwrap()).collect();
    let salted = [salt.as_slice(), b"{\"name\":\"Ada Lovelace\"}"].concat();
    assert_eq!(seal["personal_sha256"], hex(&sha256(&salted)));
    let before = receipt(&app, 0).await;
    assert!(
        !String::from_utf8(domain::vault::receipt::Receipt::parse(&before).unwrap().entry.unwrap())
            .unwrap()
            .contains("Ada")
    );

    let erased: Value = erase("s1").await.expect(200).unwrap();
    let sealed_erasure = get(erased["index"].as_u64().unwrap()).await;
    assert_eq!(
        (&sealed_erasure["kind"], &sealed_erasure["subject"], &sealed_erasure["payload"]),
        (&json!("subject.erased"), &json!("s1"), &json!({"seals": 2}))
    );
    assert_eq!((get(0).await["personal"].clone(), get(1).await["personal"].clone()), (Value::Null, Value::Null));
    assert_eq!(get(0).await["personal_sha256"], seal["personal_sha256"]);
    assert_eq!(get(2).await["personal"]["value"], json!({"name": "Bob"}));
    assert!(verifies(&app, &before).await.is_ok() && verifies(&app, &receipt(&app, 0).await).await.is_ok());

    for subject in ["s1", "s3", "%00"] {
        assert_eq!(erase(subject).await.code(), "not_found", "{subject}");
    }
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM vault_payloads").fetch_one(app.core().db.pool()).await.unwrap();
    let keys: i64 =
        sqlx::query_scalar("SELECT count(*) FROM vault_subject_keys").fetch_one(app.core().db.pool()).await.unwrap();
    assert_eq!((kept, keys), (1, 1));
    // What is sealed later is under a key of its own.
    sealed(&app, &about("s1", "Ada again")).await;
    assert_eq!(get(4).await["personal"]["value"], json!({"name": "Ada again"}));
}

#[tokio::test]
async fn another_project_erases_nothing_of_ours() {
    let app = app().await;
    sealed(&app, &about("s1", "Ada")).await;
    let (_, other) = app.another_project("Other").await.unwrap();
    let refused = app.post("/v1/vault/subjects/s1/erase").key(&other).send().await.unwrap();
    assert_eq!(refused.code(), "not_found");
    let seal: Value = app.get("/v1/vault/seals/0").key(app.key()).send().await.unwrap().expect(200).unwrap();
    assert_eq!(seal["personal"]["value"], json!({"name": "Ada"}));
}
