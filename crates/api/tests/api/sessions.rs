//! Logging in, staying logged in, and being logged out.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dev::{AppOptions, TestApp};
use domain::identity::{
    access_token::{Bearer, TokenRing},
    password::{Password, Passwords},
    sessions::{self, Login},
};
use kernel::{Clock, Code, caller::RequestContext};
use serde_json::{Value, json};
use testkit::{Client, client::Reply};

use crate::{
    accounts::{app, post, sign_up},
    people::Refused,
};

const PASSWORD: &str = "correct horse battery";

async fn refresh(client: &Client, token: &Value) -> Reply {
    client.post("/v1/auth/refresh").json(&json!({"refresh_token": token})).send().await.unwrap()
}

async fn me(app: &TestApp, access: &str) -> Reply {
    app.get("/v1/me").key(access).send().await.unwrap()
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_return_ends_the_session() {
    let clock = Clock::held(Clock::system().now());
    let app =
        TestApp::start_with(AppOptions { worker: false, clock: clock.clone(), ..AppOptions::default() })
            .await
            .unwrap();
    let first = sign_up(&app, "ada@example.com").await;
    let second: Value = refresh(app.client(), &first["refresh_token"]).await.expect(200).unwrap();
    assert_eq!(second["session_id"], first["session_id"]);
    // The same client repeats a request, moments later, whose answer was lost.
    clock.advance(Duration::from_secs(9));
    let again: Value = refresh(app.client(), &first["refresh_token"]).await.expect(200).unwrap();
    assert_ne!(again["refresh_token"], second["refresh_token"]);
    let third: Value = refresh(app.client(), &second["refresh_token"]).await.expect(200).unwrap();

    clock.advance(Duration::from_secs(11));
    refresh(app.client(), &first["refresh_token"]).await.refused(401, Code::RefreshTokenInvalid);
    refresh(app.client(), &third["refresh_token"]).await.refused(401, Code::RefreshTokenInvalid);
    me(&app, third["access_token"].as_str().unwrap()).await.refused(401, Code::AccessTokenInvalid);
    let told: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE action = 'session.token_reused'")
            .fetch_one(app.core().db.pool())
            .await
            .unwrap();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_stolen_token_is_of_no_use_to_another_client_even_at_once() {
    let app = app().await;
    let first = sign_up(&app, "ada@example.com").await;
    let second: Value = refresh(app.client(), &first["refresh_token"]).await.expect(200).unwrap();
    let thief = app
        .post("/v1/auth/refresh")
        .header("user-agent", "curl")
        .json(&json!({"refresh_token": first["refresh_token"]}));
    thief.send().await.unwrap().refused(401, Code::RefreshTokenInvalid);
    refresh(app.client(), &second["refresh_token"]).await.refused(401, Code::RefreshTokenInvalid);
}

#[tokio::test]
async fn two_refreshes_at_once_on_two_replicas_both_go_on() {
    let mut app = app().await;
    let replica = app.another_api().await.unwrap();
    let first = sign_up(&app, "ada@example.com").await;
    let token = &first["refresh_token"];
    let (one, other) = tokio::join!(refresh(app.client(), token), refresh(&replica, token));
    let (one, other): (Value, Value) = (one.expect(200).unwrap(), other.expect(200).unwrap());
    assert_ne!(one["refresh_token"], other["refresh_token"]);
    for each in [one, other] {
        refresh(app.client(), &each["refresh_token"]).await.expect::<Value>(200).unwrap();
    }
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_without_use() {
    let clock = Clock::held(Clock::system().now());
    let app =
        TestApp::start_with(AppOptions { worker: false, clock: clock.clone(), ..AppOptions::default() })
            .await
            .unwrap();
    let first = sign_up(&app, "ada@example.com").await;
    clock.advance(Duration::from_secs(29 * 24 * 3600));
    let second: Value = refresh(app.client(), &first["refresh_token"]).await.expect(200).unwrap();
    clock.advance(Duration::from_secs(29 * 24 * 3600));
    let third: Value = refresh(app.client(), &second["refresh_token"]).await.expect(200).unwrap();
    clock.advance(Duration::from_secs(30 * 24 * 3600));
    refresh(app.client(), &third["refresh_token"]).await.refused(401, Code::RefreshTokenInvalid);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_on_every_replica() {
    let mut app = app().await;
    let replica = app.another_api().await.unwrap();
    let first = sign_up(&app, "ada@example.com").await;
    let login = || post(&app, "/v1/auth/login", json!({"email": "ada@example.com", "password": PASSWORD}));
    let second: Value = login().await.expect(200).unwrap();
    let third: Value = login().await.expect(200).unwrap();
    let access = |opened: &Value| opened["access_token"].as_str().unwrap().to_owned();
    let listed: Value =
        app.get("/v1/auth/sessions").key(&access(&third)).send().await.unwrap().expect(200).unwrap();
    let listed: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| (&session["id"], &session["current"]))
        .collect();
    let [one, two, three] = [&first, &second, &third].map(|opened| &opened["session_id"]);
    assert_eq!(listed, [(three, &json!(true)), (two, &json!(false)), (one, &json!(false))]);

    // The replica knows the first session, and forgets it within five seconds.
    let on_replica = || async { replica.get("/v1/me").key(&access(&first)).send().await.unwrap().status };
    assert_eq!(on_replica().await, 200);
    let path = format!("/v1/auth/sessions/{}", one.as_str().unwrap());
    assert_eq!(app.delete(&path).key(&access(&third)).send().await.unwrap().status, 204);
    app.delete(&path).key(&access(&third)).send().await.unwrap().refused(404, Code::NotFound);
    me(&app, &access(&first)).await.refused(401, Code::AccessTokenInvalid);
    tokio::time::sleep(Duration::from_millis(5_200)).await;
    assert_eq!(on_replica().await, 401);

    // A person can end no session of somebody else.
    let (_, eve) = app.person("eve@example.com").await.unwrap();
    let path = format!("/v1/auth/sessions/{}", two.as_str().unwrap());
    app.delete(&path).key(&eve).send().await.unwrap().refused(404, Code::NotFound);
    assert_eq!(app.delete("/v1/auth/sessions").key(&access(&third)).send().await.unwrap().status, 204);
    me(&app, &access(&second)).await.refused(401, Code::AccessTokenInvalid);
    assert_eq!(me(&app, &access(&third)).await.status, 200);

    let logout = || post(&app, "/v1/auth/logout", json!({"refresh_token": third["refresh_token"]}));
    assert_eq!((logout().await.status, logout().await.status), (204, 204));
    me(&app, &access(&third)).await.refused(401, Code::AccessTokenInvalid);
}

/// A login never continues a session that the client brought.
#[tokio::test]
async fn a_session_cannot_be_fixed_beforehand() {
    let app = app().await;
    let first = sign_up(&app, "ada@example.com").await;
    let token = first["refresh_token"].as_str().unwrap();
    let login = app.post("/v1/auth/login").header("cookie", &format!("holdfast_refresh={token}"));
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "refresh_token_in": "cookie"});
    let opened = login.json(&body).send().await.unwrap();
    assert_ne!(opened.expect::<Value>(200).unwrap()["session_id"], first["session_id"]);
    assert!(
        !opened.headers.get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().contains(token))
    );
}

#[tokio::test]
async fn the_cookie_counts_only_from_our_pages() {
    let app = TestApp::start_with(AppOptions {
        worker: false,
        variables: vec![
            ("CORS_ORIGINS", "https://app.example.com".to_owned()),
            ("APP_URL", "https://front.example.com".to_owned()),
        ],
        ..AppOptions::default()
    })
    .await
    .unwrap();
    sign_up(&app, "ada@example.com").await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "refresh_token_in": "cookie"});
    let opened = post(&app, "/v1/auth/login", body).await;
    assert_eq!(opened.expect::<Value>(200).unwrap()["refresh_token"], Value::Null);
    let cookies: Vec<_> =
        opened.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    for (cookie, path) in cookies.iter().zip(["/v1/auth", "/api/v1/auth"]) {
        for attribute in ["HttpOnly", "Secure", "SameSite=Strict", &format!("Path={path}"), "Max-Age=2592000"]
        {
            assert!(cookie.split("; ").any(|found| found == attribute), "{attribute} is missing: {cookie}");
        }
    }
    let pair = cookies[0].split(';').next().unwrap().to_owned();
    let refresh = |origin: Option<&str>| {
        let request = app.post("/v1/auth/refresh").header("cookie", &pair).json(&json!({}));
        match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        }
    };
    for origin in
        [None, Some("https://evil.example.com"), Some("https://app.example.com.evil.test"), Some("null")]
    {
        refresh(origin).send().await.unwrap().refused(403, Code::OriginRefused);
    }
    // A form of another site cannot claim to be JSON without a preflight.
    let form = refresh(Some("https://app.example.com")).header("content-type", "text/plain");
    form.send().await.unwrap().refused(415, Code::UnsupportedMediaType);
    let refreshed = refresh(Some("https://app.example.com")).send().await.unwrap();
    assert_eq!(refreshed.expect::<Value>(200).unwrap()["refresh_token"], Value::Null);
    assert_eq!(refreshed.header("access-control-allow-credentials"), "true");
    let pair = refreshed.header("set-cookie").split(';').next().unwrap().to_owned();
    let elsewhere = app.post("/v1/auth/logout").header("cookie", &pair).json(&json!({}));
    let elsewhere = elsewhere.header("origin", "https://evil.example.com").send().await.unwrap();
    elsewhere.refused(403, Code::OriginRefused);
    for path in ["/v1/auth/refresh", "/v1/auth/logout"] {
        let without = app.post(path).json(&json!({})).send().await.unwrap();
        without.refused(401, Code::CredentialsMissing);
    }
    let logout =
        app.post("/v1/auth/logout").header("cookie", &pair).header("origin", "https://front.example.com");
    let gone = logout.json(&json!({})).send().await.unwrap();
    assert_eq!(gone.status, 204);
    assert!(gone.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn access_tokens_that_are_not_ours_open_nothing() {
    let app = app().await;
    let (user, good) = app.person("ada@example.com").await.unwrap();
    assert_eq!(me(&app, &good).await.status, 200);
    let keys: Value = app.get("/.well-known/jwks.json").send().await.unwrap().expect(200).unwrap();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    let kid = key["kid"].as_str().unwrap();
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let read =
        |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let write = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    assert_eq!(read(header)["kid"], kid);
    let elevated = {
        let mut claims = read(claims);
        claims["sub"] = json!("usr_00000000000070008000000000000000");
        write(claims)
    };
    // A token that is signed with a key of one's own, whatever it claims.
    let ids = &app.core().ids;
    let own = domain::identity::access_token::AccessTokens::new(&TokenRing::generate(ids), app.url());
    let bearer = Bearer { user, session: ids.next() };
    let forged = own.issue(bearer, app.core().clock.now(), ids).unwrap();
    let unknown_session = app.tokens().unwrap().issue(bearer, app.core().clock.now(), ids).unwrap();
    for bad in [
        format!("{header}.{claims}."),
        format!("{}.{claims}.", write(json!({"alg": "none", "typ": "at+jwt", "kid": kid}))),
        format!("{}.{claims}.{signature}", write(json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}))),
        format!("{}.{claims}.{signature}", write(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "another"}))),
        format!("{header}.{elevated}.{signature}"),
        forged,
        unknown_session,
        format!("{good}.{good}"),
        "x".repeat(20_000) + ".a.b",
    ] {
        me(&app, &bad).await.refused(401, Code::AccessTokenInvalid);
    }
}

#[tokio::test]
async fn a_new_signing_key_logs_nobody_out() {
    let app = app().await;
    let first = sign_up(&app, "ada@example.com").await;
    // The same database behind an API that has a new key in front of the old one, as after a
    // rotation.
    let old = app.variable("JWT_SIGNING_KEY").unwrap().to_owned();
    let both = format!("{},{old}", TokenRing::generate(&app.core().ids).reveal());
    let rotated = app.api_with("JWT_SIGNING_KEY", &both).await.unwrap();
    let access = first["access_token"].as_str().unwrap();
    assert_eq!(rotated.get("/v1/me").key(access).send().await.unwrap().status, 200);
    let second: Value = refresh(&rotated, &first["refresh_token"]).await.expect(200).unwrap();
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(rotated.get("/v1/me").key(access).send().await.unwrap().status, 200);
    me(&app, access).await.refused(401, Code::AccessTokenInvalid);
}

#[tokio::test]
async fn an_older_hash_is_renewed_at_login() {
    let app = app().await;
    sign_up(&app, "ada@example.com").await;
    // The hash of the same password, by one pass over 8 MiB: `argon2 0123456789abcdef -id -t 1 -k
    // 8192 -p 1 -l 32 -e`.
    let older =
        "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Qd/uPU2dNuqz/ljLQKUryhqKULDfO/egRNHbpCY1GDk";
    sqlx::query("UPDATE users SET password_hash = $1")
        .bind(older)
        .execute(app.core().db.pool())
        .await
        .unwrap();
    post(&app, "/v1/auth/login", json!({"email": "ada@example.com", "password": PASSWORD}))
        .await
        .expect::<Value>(200)
        .unwrap();
    let stored: String =
        sqlx::query_scalar("SELECT password_hash FROM users").fetch_one(app.core().db.pool()).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
}

#[tokio::test]
async fn attempts_are_few_by_account_and_by_address() {
    let variables = vec![("AUTH_RATE_LIMIT", "10".to_owned()), ("TRUSTED_PROXY_DEPTH", "1".to_owned())];
    let app =
        TestApp::start_with(AppOptions { worker: false, variables, ..AppOptions::default() }).await.unwrap();
    let attempt = |address: String, email: String| {
        let login = app.post("/v1/auth/login").header("x-forwarded-for", &address);
        login.json(&json!({"email": email, "password": "of no account"})).send()
    };
    for n in 0..10 {
        let refused = attempt(format!("203.0.113.{n}"), "ada@example.com".to_owned()).await.unwrap();
        refused.refused(401, Code::LoginFailed);
        assert!(
            refused.header("ratelimit-policy").contains("\"auth\";q=10;w=900"),
            "{}",
            refused.header("ratelimit-policy")
        );
    }
    let many = attempt("203.0.113.99".to_owned(), "ADA@example.com".to_owned()).await.unwrap();
    many.refused(429, Code::RateLimited);
    assert!(many.header("retry-after").parse::<u32>().unwrap() > 1);
    for n in 0..10 {
        attempt("198.51.100.1".to_owned(), format!("user{n}@example.com"))
            .await
            .unwrap()
            .refused(401, Code::LoginFailed);
    }
    attempt("198.51.100.1".to_owned(), "another@example.com".to_owned())
        .await
        .unwrap()
        .refused(429, Code::RateLimited);
}

/// Hashes and commits take the time, and there are as many of both with an account as without.
#[tokio::test]
async fn the_same_work_is_done_for_who_has_no_account() {
    let app = app().await;
    sign_up(&app, "ada@example.com").await;
    let passwords = Passwords::new(&app.core().ids);
    let (right, wrong) = (Password::from(PASSWORD.to_owned()), Password::from("of somebody else".to_owned()));
    let request = RequestContext::default();
    let mut done = Vec::new();
    for (email, password) in
        [("ada@example.com", &wrong), ("nobody@example.com", &right), ("no address", &right)]
    {
        let before = (passwords.computed(), audited(&app).await);
        let refused =
            sessions::login(app.core(), &passwords, &Login { email, password }, &request).await.unwrap_err();
        assert_eq!(refused.code(), Code::LoginFailed);
        done.push((passwords.computed() - before.0, audited(&app).await - before.1));
    }
    assert_eq!(done, [(1, 1); 3]);
}

async fn audited(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM audit_events").fetch_one(app.core().db.pool()).await.unwrap()
}
