//! Passkeys, by an authenticator made by hand: its public key is the generator of P-256, since an
//! attestation of format `none` is signed by nobody. `tests/foreign/passkey.mjs` has a real one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use domain::identity::passkeys::MAX_PASSKEYS;
use kernel::crypto::sha256;
use serde_json::{Value, json};
use testkit::client::Reply;

use crate::people::Company;

const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Returns what a browser answers to `options`, with a passkey of this id.
fn created(options: &Value, id: &[u8; 16], origin: &str) -> Value {
    let challenge = options["publicKey"]["challenge"].as_str().unwrap();
    let client =
        json!({ "type": "webauthn.create", "challenge": challenge, "origin": origin, "crossOrigin": false });
    // Authenticator data (WebAuthn, section 6.1): present, verified, with a new credential.
    let mut data = sha256(options["publicKey"]["rp"]["id"].as_str().unwrap().as_bytes()).to_vec();
    data.push(0x45);
    data.extend([0; 4 + 16]);
    data.extend([0, 16]);
    data.extend(id);
    // The key as COSE has it: EC2, ES256, P-256.
    data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
    data.extend(bytes(X));
    data.extend([0x22, 0x58, 0x20]);
    data.extend(bytes(Y));
    let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
    attestation.push(u8::try_from(data.len()).unwrap());
    attestation.extend(data);
    json!({
        "id": BASE64URL.encode(id),
        "rawId": BASE64URL.encode(id),
        "type": "public-key",
        "response": {
            "attestationObject": BASE64URL.encode(attestation),
            "clientDataJSON": BASE64URL.encode(client.to_string()),
        },
    })
}

impl Company {
    async fn begin(&self) -> Value {
        self.owner.post("/v1/me/passkeys/begin").send().await.unwrap().expect(200).unwrap()
    }

    async fn finish(&self, begun: &Value, name: &str, credential: Value) -> Reply {
        let body = json!({ "ceremony_id": begun["ceremony_id"], "name": name, "credential": credential });
        self.owner.post("/v1/me/passkeys/finish").json(&body).send().await.unwrap()
    }
}

#[tokio::test]
async fn a_passkey_is_added_and_what_does_not_verify_is_not() {
    let company = Company::start().await;
    let origin = "http://localhost:3000";
    let id = [7; 16];
    let begun = company.begin().await;
    let credential = created(&begun["options"], &id, origin);
    for (name, code) in [("", "too_short"), ("a\nb", "control_character"), ("\0", "nul_byte")] {
        assert_eq!(company.finish(&begun, name, credential.clone()).await.code(), code, "{name:?}");
    }
    assert_eq!(company.finish(&begun, &"x".repeat(101), credential.clone()).await.code(), "too_long");
    assert_eq!(company.finish(&begun, "Laptop", json!({})).await.code(), "wrong_type");
    let made: Value = company.finish(&begun, "Laptop", credential.clone()).await.expect(200).unwrap();
    assert_eq!(made["name"], "Laptop");
    // A ceremony is finished once, for its own challenge, by pages of ours.
    assert_eq!(company.finish(&begun, "Again", credential.clone()).await.code(), "passkey_invalid");
    let begun = company.begin().await;
    assert_eq!(company.finish(&begun, "Old", credential).await.code(), "passkey_invalid");
    let begun = company.begin().await;
    let elsewhere = created(&begun["options"], &[8; 16], "https://evil.example.com");
    assert_eq!(company.finish(&begun, "Evil", elsewhere).await.code(), "passkey_invalid");

    // It belongs to somebody else by now.
    let begun = company.begin().await;
    let taken = created(&begun["options"], &[9; 16], origin);
    let copy = async |sql: &'static str| {
        let copied = sqlx::query(sql).bind([9_u8; 16].as_slice());
        copied.execute(company.app.core().db.pool()).await.unwrap();
    };
    copy(
        "INSERT INTO passkeys (id, user_id, credential_id, credential, name, created_at) \
          SELECT gen_random_uuid(), user_id, $1, credential, 'copy', now() FROM passkeys LIMIT 1",
    )
    .await;
    let refused = company.finish(&begun, "Taken", taken).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "passkey_taken"), "{}", refused.json());

    copy(
        "INSERT INTO passkeys (id, user_id, credential_id, credential, name, created_at) \
          SELECT gen_random_uuid(), user_id, $1 || int4send(n), credential, 'many', now() \
          FROM (SELECT * FROM passkeys LIMIT 1) AS one, generate_series(1, 18) AS n",
    )
    .await;
    assert_eq!(company.count("passkeys").await, i64::try_from(MAX_PASSKEYS).unwrap());
    let refused = company.owner.post("/v1/me/passkeys/begin").send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (409, "limit_reached"));
}

#[tokio::test]
async fn a_login_that_does_not_verify_opens_nothing() {
    let company = Company::start().await;
    let app = &company.app;
    let begun = app.post("/v1/auth/passkeys/begin").json(&json!({})).send().await.unwrap();
    let begun: Value = begun.expect(200).unwrap();
    let made_up = BASE64URL.encode([7; 64]);
    let credential = json!({
        "id": made_up, "rawId": made_up, "type": "public-key",
        "response": {
            "authenticatorData": made_up, "clientDataJSON": made_up, "signature": made_up,
            "userHandle": BASE64URL.encode(company.owner.id.uuid().as_bytes()),
        },
    });
    let body = json!({ "ceremony_id": begun["ceremony_id"], "credential": credential });
    let refused = app.post("/v1/auth/passkeys/finish").json(&body).send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (401, "passkey_invalid"), "{}", refused.json());
}
