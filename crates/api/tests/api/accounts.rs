//! Signing up, verifying an address, passwords, and erasing an account.

use dev::{AppOptions, TestApp};
use domain::identity::users;
use kernel::{Clock, Code};
use serde_json::{Value, json};
use testkit::client::Reply;

use crate::people::Refused;

const PASSWORD: &str = "correct horse battery";

pub async fn app() -> TestApp {
    TestApp::start_with(AppOptions { worker: false, ..AppOptions::default() }).await.unwrap()
}

pub async fn post(app: &TestApp, path: &str, body: Value) -> Reply {
    app.post(path).json(&body).send().await.unwrap()
}

/// Returns the token in the only mail that was enqueued.
pub async fn mailed_token(app: &TestApp, subject: &str) -> String {
    let mails = app.mails().await.unwrap();
    let [mail] = mails.as_slice() else { panic!("not one mail: {mails:?}") };
    assert_eq!(mail.subject, subject);
    let after = mail.text.split("#token=").nth(1).expect("a link with a token");
    after.split_whitespace().next().unwrap().to_owned()
}

/// Signs up and verifies. Returns the answer of the last step.
pub async fn sign_up(app: &TestApp, email: &str) -> Value {
    let signed_up =
        post(app, "/v1/auth/signup", json!({"email": email, "password": PASSWORD, "name": "Ada"})).await;
    assert_eq!(signed_up.status, 202);
    let token = mailed_token(app, "Verify your address").await;
    post(app, "/v1/auth/verify-email", json!({"token": token, "password": PASSWORD}))
        .await
        .expect::<Value>(200)
        .unwrap()
}

async fn login(app: &TestApp, email: &str, password: &str) -> Reply {
    post(app, "/v1/auth/login", json!({"email": email, "password": password})).await
}

#[tokio::test]
async fn from_signing_up_to_logging_in() {
    let app = app().await;
    post(&app, "/v1/auth/signup", json!({"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada"}))
        .await
        .expect::<Value>(202)
        .unwrap();
    login(&app, "ada@example.com", PASSWORD).await.refused(403, Code::EmailUnverified);
    let token = mailed_token(&app, "Verify your address").await;
    let verify = |password: &str| json!({"token": token, "password": password});
    post(&app, "/v1/auth/verify-email", verify("of somebody else")).await.refused(401, Code::LoginFailed);
    let opened = post(&app, "/v1/auth/verify-email", verify(PASSWORD)).await.expect::<Value>(200).unwrap();
    post(&app, "/v1/auth/verify-email", verify(PASSWORD)).await.refused(422, Code::MailTokenInvalid);

    let access = opened["access_token"].as_str().unwrap();
    let me = app.get("/v1/me").key(access).send().await.unwrap().expect::<Value>(200).unwrap();
    assert_eq!((&me["email"], &me["name"]), (&json!("Ada@example.com"), &json!("Ada")));
    login(&app, "ADA@EXAMPLE.COM", PASSWORD).await.expect::<Value>(200).unwrap();
}

/// No answer to an anonymous caller tells an address with an account from one without.
#[tokio::test]
async fn an_address_does_not_tell_whether_it_has_an_account() {
    let app = app().await;
    sign_up(&app, "ada@example.com").await;
    let strip = |reply: Reply| (reply.status, String::from_utf8(reply.body).unwrap());
    let sign_up = |email: &str| json!({"email": email, "password": "another password", "name": "Eve"});
    let known = strip(post(&app, "/v1/auth/signup", sign_up("ada@example.com")).await);
    let mails = app.mails().await.unwrap();
    assert_eq!(mails[0].subject, "You already have an account");
    assert!(!mails[0].text.contains("token="));
    let unknown = strip(post(&app, "/v1/auth/signup", sign_up("new@example.com")).await);
    assert_eq!(known, unknown);
    for path in ["/v1/auth/password/forgot", "/v1/auth/verify-email/send"] {
        let known = strip(post(&app, path, json!({"email": "ada@example.com"})).await);
        let unknown = strip(post(&app, path, json!({"email": "nobody@example.com"})).await);
        assert_eq!(known, unknown, "{path}");
    }
    let subjects: Vec<_> =
        app.mails().await.unwrap().into_iter().map(|mail| (mail.to.to_string(), mail.subject)).collect();
    let wanted = [("new@example.com", "Verify your address"), ("ada@example.com", "Choose a new password")];
    assert_eq!(subjects, wanted.map(|(to, subject)| (to.to_owned(), subject.to_owned())));

    // The words are the same, whichever is wrong. `the_same_work_is_done_for_who_has_no_account` in
    // `sessions.rs` tests the rest.
    let wrong = |reply: Reply| {
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        (reply.status, problem["code"].clone(), problem["detail"].clone())
    };
    let no_account = wrong(login(&app, "nobody@example.com", PASSWORD).await);
    assert_eq!(wrong(login(&app, "ada@example.com", "wrong password").await), no_account);
    assert_eq!(wrong(login(&app, "not an address", PASSWORD).await), no_account);
    assert_eq!(wrong(login(&app, "ada@example.com", &"x".repeat(15_000)).await), no_account);
    // The account that existed is as it was.
    login(&app, "ada@example.com", PASSWORD).await.expect::<Value>(200).unwrap();
}

/// A person who signs up first with an address that is not theirs gains nothing when its holder
/// comes.
#[tokio::test]
async fn a_squatter_does_not_get_the_account() {
    let app = app().await;
    let sign_up =
        |password: &str| json!({"email": "ada@example.com", "password": password, "name": "Somebody"});
    post(&app, "/v1/auth/signup", sign_up(PASSWORD)).await.expect::<Value>(202).unwrap();
    let first = mailed_token(&app, "Verify your address").await;
    post(&app, "/v1/auth/signup", sign_up("the squatter's own")).await.expect::<Value>(202).unwrap();
    let second = mailed_token(&app, "Verify your address").await;
    for token in [first, second] {
        // The holder opens each link, with the password they chose.
        let reply = post(&app, "/v1/auth/verify-email", json!({"token": token, "password": PASSWORD})).await;
        reply.refused(401, Code::LoginFailed);
    }
    login(&app, "ada@example.com", "the squatter's own").await.refused(403, Code::EmailUnverified);
    post(&app, "/v1/auth/password/forgot", json!({"email": "ada@example.com"}))
        .await
        .expect::<Value>(202)
        .unwrap();
    let token = mailed_token(&app, "Choose a new password").await;
    assert_eq!(
        post(&app, "/v1/auth/password/reset", json!({"token": token, "password": PASSWORD})).await.status,
        204
    );
    login(&app, "ada@example.com", "the squatter's own").await.refused(401, Code::LoginFailed);
    login(&app, "ada@example.com", PASSWORD).await.expect::<Value>(200).unwrap();
}

#[tokio::test]
async fn a_hundred_at_once_make_one_account() {
    let app = app().await;
    let once = |n: usize| {
        let email = if n.is_multiple_of(2) { "ada@example.com" } else { "ADA@example.com" };
        let body = json!({"email": email, "password": PASSWORD, "name": "Ada"});
        app.post("/v1/auth/signup").json(&body).send()
    };
    let replies = futures::future::join_all((0..100).map(once)).await;
    assert!(replies.into_iter().all(|reply| reply.unwrap().status == 202));
    let accounts: i64 =
        sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(app.core().db.pool()).await.unwrap();
    assert_eq!(accounts, 1);
}

#[tokio::test]
async fn a_reset_ends_every_session_and_its_token_is_good_once() {
    let app = app().await;
    let opened = sign_up(&app, "ada@example.com").await;
    for _ in 0..2 {
        post(&app, "/v1/auth/password/forgot", json!({"email": "ada@example.com"}))
            .await
            .expect::<Value>(202)
            .unwrap();
    }
    let mails = app.mails().await.unwrap();
    let token = |n: usize| {
        mails[n].text.split("#token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    let (first, second) = (token(0), token(1));
    // A token of another purpose does not count.
    post(&app, "/v1/auth/verify-email", json!({"token": first, "password": PASSWORD}))
        .await
        .refused(422, Code::MailTokenInvalid);
    let reset = |token: &str| {
        app.post("/v1/auth/password/reset")
            .json(&json!({"token": token, "password": "a new password"}))
            .send()
    };
    let (a, b) = tokio::join!(reset(&first), reset(&first));
    let mut statuses = [a.unwrap().status, b.unwrap().status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422], "of two at once one uses the token");
    reset(&second).await.unwrap().refused(422, Code::MailTokenInvalid);

    let refreshed = post(&app, "/v1/auth/refresh", json!({"refresh_token": opened["refresh_token"]})).await;
    refreshed.refused(401, Code::RefreshTokenInvalid);
    let access = opened["access_token"].as_str().unwrap();
    app.get("/v1/me").key(access).send().await.unwrap().refused(401, Code::AccessTokenInvalid);
    login(&app, "ada@example.com", PASSWORD).await.refused(401, Code::LoginFailed);
    login(&app, "ada@example.com", "a new password").await.expect::<Value>(200).unwrap();
    assert_eq!(app.mails().await.unwrap()[0].subject, "Your password was changed");
}

#[tokio::test]
async fn tokens_expire() {
    let clock = Clock::held(Clock::system().now());
    let app =
        TestApp::start_with(AppOptions { worker: false, clock: clock.clone(), ..AppOptions::default() })
            .await
            .unwrap();
    post(&app, "/v1/auth/signup", json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}))
        .await
        .expect::<Value>(202)
        .unwrap();
    let token = mailed_token(&app, "Verify your address").await;
    clock.advance(std::time::Duration::from_secs(24 * 3600 + 1));
    let late = post(&app, "/v1/auth/verify-email", json!({"token": token, "password": PASSWORD})).await;
    late.refused(422, Code::MailTokenInvalid);
}

#[tokio::test]
async fn what_is_no_account_is_refused_by_its_place() {
    let app = app().await;
    let with = |field: &str, value: Value| {
        let mut body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "Ada"});
        body[field] = value;
        body
    };
    for (field, value, code) in [
        ("email", json!("ada@example.com\r\nBcc: eve@example.com"), Code::InvalidEmail),
        ("email", json!("аda@example.com"), Code::InvalidEmail),
        ("email", json!("'; DROP TABLE users; --"), Code::InvalidEmail),
        ("name", json!("Ada\r\nBcc: eve@example.com"), Code::ControlCharacter),
        ("name", json!("Ada\0"), Code::NulByte),
        ("name", json!(""), Code::TooShort),
        ("password", json!("short"), Code::TooShort),
        ("password", json!("x".repeat(10_000)), Code::TooLong),
        ("password", json!("Password123"), Code::WeakPassword),
        ("password", json!(["a"]), Code::WrongType),
        ("role", json!("owner"), Code::UnknownField),
    ] {
        let problem = post(&app, "/v1/auth/signup", with(field, value)).await.refused(422, code);
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{problem}");
    }
    let megabyte =
        post(&app, "/v1/auth/login", json!({"email": "ada@example.com", "password": "x".repeat(1 << 20)}))
            .await;
    megabyte.refused(413, Code::PayloadTooLarge);
    assert!(app.mails().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_is_changed_from_the_version_that_was_seen() {
    let app = app().await;
    let (_, access) = app.person("ada@example.com").await.unwrap();
    let rename = |name: &str| {
        app.client().request(reqwest::Method::PATCH, "/v1/me").key(&access).json(&json!({"name": name}))
    };
    rename("Ada L.").send().await.unwrap().refused(428, Code::PreconditionRequired);
    let seen = app.get("/v1/me").key(&access).send().await.unwrap();
    let tag = seen.headers["etag"].to_str().unwrap().to_owned();
    let changed = rename("Ada L.").header("if-match", &tag).send().await.unwrap();
    assert_eq!((changed.status, changed.headers["etag"].to_str().unwrap()), (200, "\"v2\""));
    rename("Ada M.").header("if-match", &tag).send().await.unwrap().refused(412, Code::VersionMismatch);
}

#[tokio::test]
async fn a_person_takes_their_data_along_and_is_forgotten() {
    let clock = Clock::held(Clock::system().now());
    let app =
        TestApp::start_with(AppOptions { worker: false, clock: clock.clone(), ..AppOptions::default() })
            .await
            .unwrap();
    let opened = sign_up(&app, "ada@example.com").await;
    let access = opened["access_token"].as_str().unwrap();
    let export = app.get("/v1/me/export").key(access).send().await.unwrap().expect::<Value>(200).unwrap();
    assert_eq!(export["account"]["email"], "ada@example.com");
    let mut actions: Vec<_> =
        export["events"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["session.opened", "user.email_verified", "user.signed_up"]);
    assert!(!export.to_string().contains("argon2") && !export.to_string().contains("hfr_"));

    let close = || app.delete("/v1/me").key(access).send();
    let receipt = close().await.unwrap().expect::<Value>(202).unwrap();
    assert_eq!(close().await.unwrap().expect::<Value>(202).unwrap(), receipt, "asking twice says the same");
    assert_eq!(app.post("/v1/me/restore").key(access).send().await.unwrap().status, 204);
    app.post("/v1/me/restore").key(access).send().await.unwrap().refused(404, Code::NotFound);
    close().await.unwrap().expect::<Value>(202).unwrap();

    assert_eq!(users::erase_due(app.core(), 10).await.unwrap(), 0);
    clock.advance(std::time::Duration::from_secs(14 * 24 * 3600));
    let (a, b) = tokio::join!(users::erase_due(app.core(), 10), users::erase_due(app.core(), 10));
    assert_eq!(a.unwrap() + b.unwrap(), 1, "two workers erase once");
    let left: Value =
        sqlx::query_scalar("SELECT to_jsonb(u) FROM users u").fetch_one(app.core().db.pool()).await.unwrap();
    assert!(!left.to_string().to_lowercase().contains("ada"), "{left}");
    for table in ["sessions", "refresh_tokens", "mail_tokens", "memberships", "passkeys"] {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let rows: i64 = sqlx::query_scalar(count).fetch_one(app.core().db.pool()).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    // The address is free again.
    sign_up(&app, "ada@example.com").await;
}

#[tokio::test]
async fn the_last_owner_cannot_leave_the_others_behind() {
    let app = app().await;
    let (owner, access) = app.person("owner@example.com").await.unwrap();
    let (member, _) = app.person("member@example.com").await.unwrap();
    app.join(owner, kernel::caller::Role::Owner).await.unwrap();
    app.delete("/v1/me").key(&access).send().await.unwrap().expect::<Value>(202).unwrap();
    assert_eq!(app.post("/v1/me/restore").key(&access).send().await.unwrap().status, 204);
    app.join(member, kernel::caller::Role::Developer).await.unwrap();
    app.delete("/v1/me").key(&access).send().await.unwrap().refused(409, Code::LastOwner);
}
