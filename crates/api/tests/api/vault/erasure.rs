//! Erasing a subject.

use kernel::crypto::{hex, sha256};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{app, receipt, sealed, verifies};

fn about(subject: &str, name: &str) -> Value {
    let (payload, personal) = (json!({"score": 7}), json!({"name": name}));
    json!({"kind": "kyc", "verdict": "ALLOW", "payload": payload, "subject": subject, "personal": personal})
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
        !String::from_utf8(vault::format::receipt::Receipt::parse(&before).unwrap().entry.unwrap())
            .unwrap()
            .contains("Ada")
    );

    let erased: Value = erase("s1").await.expect(201).unwrap();
    let sealed_erasure = get(erased["index"].as_u64().unwrap()).await;
    assert_eq!(
        (&sealed_erasure["kind"], &sealed_erasure["subject"], &sealed_erasure["payload"]),
        (&json!("subject.erased"), &json!("s1"), &json!({"seals": 2}))
    );
    assert_eq!(
        (get(0).await["personal"].clone(), get(1).await["personal"].clone()),
        (Value::Null, Value::Null)
    );
    assert_eq!(get(0).await["personal_sha256"], seal["personal_sha256"]);
    assert_eq!(get(2).await["personal"]["value"], json!({"name": "Bob"}));
    assert!(verifies(&app, &before).await.is_ok() && verifies(&app, &receipt(&app, 0).await).await.is_ok());

    for subject in ["s1", "s3", "%00"] {
        assert_eq!(erase(subject).await.code(), "not_found", "{subject}");
    }
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM vault_payloads")
        .fetch_one(app.core().db.pool())
        .await
        .unwrap();
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM vault_subject_keys")
        .fetch_one(app.core().db.pool())
        .await
        .unwrap();
    assert_eq!((kept, keys), (1, 1));
    // Later personal data is encrypted under a new key.
    sealed(&app, &about("s1", "Ada again")).await;
    assert_eq!(get(4).await["personal"]["value"], json!({"name": "Ada again"}));
}

/// The answer to the first request was lost. A repeat, to whichever replica, gets the same one, and
/// erases nothing that was sealed since.
#[tokio::test]
async fn an_erasure_that_is_asked_for_twice_is_done_once() {
    let mut app = app().await;
    let other = app.another_api().await.unwrap();
    sealed(&app, &about("s1", "Ada")).await;
    let erase = async |client: &testkit::Client, subject: &str| {
        let request = client.post(&format!("/v1/vault/subjects/{subject}/erase")).key(app.key());
        request.header("idempotency-key", "forget").send().await.unwrap()
    };
    let first = erase(app.client(), "s1").await;
    assert_eq!((first.status, first.header("location")), (201, "/v1/vault/seals/1"));
    sealed(&app, &about("s1", "Ada again")).await;
    for client in [app.client(), &other] {
        let again = erase(client, "s1").await;
        assert_eq!((again.status, &again.body), (201, &first.body));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    let seal: Value = app.get("/v1/vault/seals/2").key(app.key()).send().await.unwrap().expect(200).unwrap();
    assert_eq!(seal["personal"]["value"], json!({"name": "Ada again"}));
    assert_eq!(erase(app.client(), "s2").await.code(), "idempotency_key_reused");
}

/// A seal of the subject waits on another replica while it is erased: it is erased with the rest,
/// or kept under a key of its own.
#[tokio::test]
async fn an_erasure_that_races_a_seal_leaves_nothing_half() {
    let mut app = app().await;
    let other = app.another_api().await.unwrap();
    for round in 0..6_u64 {
        let before = sealed(&app, &about("s1", "before")).await["index"].as_u64().unwrap();
        let mut held = PgConnection::connect(app.database().url()).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT FROM vault_logs FOR UPDATE").execute(&mut held).await.unwrap();
        let seal = other.post("/v1/vault/seals").key(app.key()).json(&about("s1", "racing")).send();
        let erase = app.post("/v1/vault/subjects/s1/erase").key(app.key()).send();
        let pause = tokio::time::sleep(std::time::Duration::from_millis(100));
        let (seal, erase) = if round % 2 == 0 {
            let seal = tokio::spawn(seal);
            pause.await;
            (seal, tokio::spawn(erase))
        } else {
            let erase = tokio::spawn(erase);
            pause.await;
            (tokio::spawn(seal), erase)
        };
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        drop(held);
        let seal: Value = seal.await.unwrap().unwrap().expect(201).unwrap();
        let erased: Value = erase.await.unwrap().unwrap().expect(201).unwrap();
        let (sealed, erased) = (seal["index"].as_u64().unwrap(), erased["index"].as_u64().unwrap());
        let get = async |index: u64| -> Value {
            app.get(&format!("/v1/vault/seals/{index}"))
                .key(app.key())
                .send()
                .await
                .unwrap()
                .expect(200)
                .unwrap()
        };
        assert_eq!(get(before).await["personal"], Value::Null);
        let kept = get(sealed).await["personal"]["value"].clone();
        assert_eq!(
            kept,
            if sealed < erased { Value::Null } else { json!({"name": "racing"}) },
            "{sealed} and {erased}"
        );
        assert_eq!(get(erased).await["payload"]["seals"].as_u64().unwrap() > 1, sealed < erased);
        if sealed > erased {
            app.post("/v1/vault/subjects/s1/erase")
                .key(app.key())
                .send()
                .await
                .unwrap()
                .expect::<Value>(201)
                .unwrap();
        }
    }
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
