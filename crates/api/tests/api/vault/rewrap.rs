//! `api vault rewrap`.

use serde_json::json;
use vault::KekRing;

use super::{
    app,
    fsck::{Ended, run},
    sealed,
};

#[tokio::test]
async fn the_program_wraps_keys_anew_and_tells_what_is_left() {
    let app = app().await;
    for subject in ["ada", "bob"] {
        sealed(
            &app,
            &json!({"kind": "k", "verdict": "SEAL", "payload": 1, "subject": subject, "personal": 1}),
        )
        .await;
    }
    let old = app.variable("VAULT_KEK").unwrap().to_owned();
    let new = KekRing::generate(&app.core().ids).reveal();
    let rewrap = async |kek: &str| -> Ended {
        let names = [
            "DATABASE_URL",
            "SECRETS_KEY",
            "WEBHOOK_SIGNING_KEY",
            "JWT_SIGNING_KEY",
            "VAULT_SIGNING_KEY",
            "PUBLIC_URL",
        ];
        let variables = names.map(|name| (name, app.variable(name).unwrap()));
        run(&["vault", "rewrap"], variables.into_iter().chain([("VAULT_KEK", kek)])).await
    };
    for moved in [2, 0] {
        let (code, told, progress) = rewrap(&format!("{new},{old}")).await;
        let end =
            format!("2 keys, {moved} wrapped anew, 0 left under another key than the first of VAULT_KEK\n");
        assert_eq!((code, told), (0, end), "{progress}");
        assert!(progress.contains(&format!("2 keys looked at, {moved} wrapped anew\n")), "{progress}");
    }
    let (code, told, _) = rewrap(&old).await;
    assert_eq!(code, 1);
    assert!(told.contains("2 left") && told.contains("2 unwrap under no key of VAULT_KEK"), "{told}");

    // The old key is retired.
    let retired = app.api_with("VAULT_KEK", &new).await.unwrap();
    let seal = retired.get("/v1/vault/seals/1").key(app.key()).send().await.unwrap();
    assert_eq!(seal.expect::<serde_json::Value>(200).unwrap()["personal"]["value"], 1);
}
