//! `/v1/organizations/{organization}/invitations`, and accepting one.

use std::time::Duration;

use dev::{AppOptions, TestApp};
use domain::identity::{
    access_token::Bearer,
    mail_tokens::{self, jobs::SendMail},
};
use kernel::{
    Clock,
    caller::{RequestContext, Role},
    ids::{InvitationId, SessionId},
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Reply;

use crate::people::{Company, Human};

impl Company {
    async fn invite(&self, by: &Human, email: &str, role: &str) -> Reply {
        let body = json!({ "email": email, "role": role });
        by.post(&self.path("/invitations")).json(&body).send().await.unwrap()
    }

    /// Returns an invitation by the owner, and the token of its mail.
    async fn invited(&self, email: &str, role: &str) -> (String, String) {
        let made: Value = self.invite(&self.owner, email, role).await.expect(201).unwrap();
        let id = made["id"].as_str().unwrap().to_owned();
        let token = self.mailed(&id).await;
        (id, token)
    }

    /// Returns the mail of the worker's job.
    pub async fn mailed(&self, invitation: &str) -> String {
        let invitation: InvitationId = invitation.parse().unwrap();
        let page = "https://app.example.com/".parse().unwrap();
        let (job, request) = (SendMail::Invitation { invitation }, RequestContext::default());
        let mail = mail_tokens::prepare(self.app.core(), &job, &page, &request).await.unwrap().unwrap();
        let (_, token) = mail.text.split_once("#token=").unwrap();
        token.split_whitespace().next().unwrap().to_owned()
    }

    async fn accept(&self, by: &Human, token: &str) -> Reply {
        by.post("/v1/invitations/accept").json(&json!({ "token": token })).send().await.unwrap()
    }

    /// Returns the same person with a new login, after the old one expired.
    async fn again(&self, human: &Human) -> Human {
        let core = self.app.core();
        let session: SessionId = core.ids.next();
        sqlx::query(
            "INSERT INTO sessions \
                 (id, user_id, method, address, user_agent, created_at, last_used_at, expires_at) \
             VALUES ($1, $2, 'password', '127.0.0.1', 'test', $3, $3, $3 + interval '30 days')",
        )
        .bind(session)
        .bind(human.id)
        .bind(core.clock.now())
        .execute(core.db.pool())
        .await
        .unwrap();
        let bearer = Bearer { user: human.id, session };
        human.with(self.app.tokens().unwrap().issue(bearer, core.clock.now(), &core.ids).unwrap())
    }

    async fn role_of(&self, human: &Human) -> Option<String> {
        let reply = human.get(&self.path("")).send().await.unwrap();
        reply.json()["role"].as_str().map(str::to_owned)
    }
}

#[tokio::test]
async fn an_invitation_is_mailed_listed_and_accepted_once() {
    let company = Company::start().await;
    let admin = company.member(Role::Admin).await;
    let made: Value = company.invite(&admin, "Grace@Example.com", "developer").await.expect(201).unwrap();
    assert_eq!((&made["email"], &made["invited_by"]), (&json!("Grace@example.com"), &json!(admin.id)));
    let page: Value = admin.get(&company.path("/invitations")).send().await.unwrap().expect(200).unwrap();
    assert_eq!(page["data"], json!([made]));
    // The job that mails it came in the same commit, and has no secret.
    let payload: Value = sqlx::query_scalar("SELECT payload FROM jobs WHERE kind = 'identity.send_mail'")
        .fetch_one(company.app.core().db.pool())
        .await
        .unwrap();
    assert!(
        payload.to_string().contains(made["id"].as_str().unwrap()) && !payload.to_string().contains("hfm_")
    );

    let grace = Human::new(&company.app, "grace@example.com").await;
    let token = company.mailed(made["id"].as_str().unwrap()).await;
    assert_eq!(company.role_of(&grace).await, None, "an invitation alone opens nothing");
    let accepted = company.accept(&grace, &token).await;
    let joined: Value = accepted.expect(201).unwrap();
    assert_eq!((&joined["id"], &joined["role"]), (&json!(company.id), &json!("developer")));
    assert_eq!(accepted.header("location"), company.path(""));
    assert_eq!(company.role_of(&grace).await.as_deref(), Some("developer"));
    let page: Value = admin.get(&company.path("/invitations")).send().await.unwrap().expect(200).unwrap();
    assert_eq!(page["data"], json!([]));
    let again = company.accept(&grace, &token).await;
    assert_eq!((again.status, again.code().as_str()), (422, "mail_token_invalid"));
}

#[tokio::test]
async fn the_mail_says_who_invites_where_and_as_what() {
    let company = Company::start().await;
    company.invited("grace@example.com", "read_only").await;
    let mails = company.app.mails().await.unwrap();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("grace@example.com", "Join Test"));
    assert!(mail.text.starts_with("owner invites you to join Test as read only."), "{}", mail.text);
    // The token comes after the `#`, so that following the link sends it to no server.
    assert!(mail.text.contains("/accept-invitation#token=hfm_"), "{}", mail.text);
}

#[tokio::test]
async fn only_the_invited_and_verified_address_may_accept() {
    let company = Company::start().await;
    let (_, token) = company.invited("grace@example.com", "admin").await;
    let eve = Human::new(&company.app, "eve@example.com").await;
    let grace = Human::new(&company.app, "grace@example.com").await;
    let stolen = company.accept(&eve, &token).await;
    assert_eq!((stolen.status, stolen.code().as_str()), (403, "forbidden"));
    let verified = async |verified: bool| {
        sqlx::query("UPDATE users SET email_verified_at = CASE WHEN $2 THEN now() END WHERE id = $1")
            .bind(grace.id)
            .bind(verified)
            .execute(company.app.core().db.pool())
            .await
            .unwrap();
    };
    verified(false).await;
    assert_eq!(company.accept(&grace, &token).await.code(), "email_unverified");
    verified(true).await;
    assert_eq!(company.accept(&grace, &token).await.status, 201, "what was refused used nothing up");
    for guess in [
        "",
        "hfm_",
        "hfm_1111",
        "'; DROP TABLE invitations; --",
        "a\0b",
        &token.to_uppercase(),
        &"x".repeat(70),
    ] {
        let reply = company.accept(&grace, guess).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, "mail_token_invalid"), "{guess:?}");
    }
    assert_eq!(company.role_of(&eve).await, None);
}

/// Somebody who became a member in another way keeps the role they have.
#[tokio::test]
async fn a_member_does_not_accept() {
    let company = Company::start().await;
    let (_, token) = company.invited("grace@example.com", "admin").await;
    let grace = Human::new(&company.app, "grace@example.com").await;
    company.restore(&[grace.id], Role::ReadOnly).await;
    let refused = company.accept(&grace, &token).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "already_member"));
    assert_eq!(company.role_of(&grace).await.as_deref(), Some("read_only"));
}

#[tokio::test]
async fn nobody_invites_above_themselves_nor_twice_nor_members() {
    let company = Company::start().await;
    let admin = company.member(Role::Admin).await;
    let owner_to_be = company.invited("second@example.com", "owner").await.0;
    assert_eq!(company.invite(&admin, "grace@example.com", "owner").await.code(), "role_too_high");
    let path = company.path(&format!("/invitations/{owner_to_be}"));
    assert_eq!(admin.delete(&path).send().await.unwrap().code(), "role_too_high", "only owners touch owners");

    assert_eq!(company.invite(&admin, "grace@example.com", "admin").await.status, 201);
    let twice = company.invite(&admin, "GRACE@example.com", "read_only").await;
    assert_eq!((twice.status, twice.code().as_str()), (409, "already_invited"));
    let member = company.invite(&admin, "owner@example.com", "read_only").await;
    assert_eq!((member.status, member.code().as_str()), (409, "already_member"));
    for (body, code) in [
        (json!({ "email": "grace", "role": "admin" }), "invalid_email"),
        (json!({ "email": "grace@example.com\r\nBcc: eve@example.com", "role": "admin" }), "invalid_email"),
        (json!({ "email": "grаce@example.com", "role": "admin" }), "invalid_email"),
        (json!({ "email": "a\0@example.com", "role": "admin" }), "invalid_email"),
        (json!({ "email": "x".repeat(300), "role": "admin" }), "invalid_email"),
        (json!({ "email": "x@example.com", "role": "god" }), "wrong_type"),
        (json!({ "email": "x@example.com" }), "missing_field"),
    ] {
        let reply = admin.post(&company.path("/invitations")).json(&body).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (422, code), "{body}");
    }
}

#[tokio::test]
async fn a_revoked_or_late_invitation_opens_nothing() {
    let clock = Clock::held(Clock::system().now());
    let options = AppOptions { worker: false, clock: clock.clone(), ..Default::default() };
    let company = Company::of(TestApp::start_with(options).await.unwrap()).await;
    let (id, token) = company.invited("grace@example.com", "developer").await;
    let grace = Human::new(&company.app, "grace@example.com").await;
    let revoke = || company.owner.delete(&company.path(&format!("/invitations/{id}")));
    assert_eq!(revoke().send().await.unwrap().status, 204);
    assert_eq!(revoke().send().await.unwrap().status, 404);
    assert_eq!(company.accept(&grace, &token).await.code(), "mail_token_invalid");

    let (id, token) = company.invited("grace@example.com", "developer").await;
    let resend = |by: &Human| by.post(&company.path(&format!("/invitations/{id}/resend")));
    let early = resend(&company.owner).send().await.unwrap();
    assert_eq!((early.status, early.code().as_str()), (429, "rate_limited"));
    assert!(!early.header("retry-after").is_empty());
    // Access tokens are good for 15 minutes, so later everybody gets another.
    clock.advance(Duration::from_secs(8 * 24 * 3600));
    let (owner, grace) = (company.again(&company.owner).await, company.again(&grace).await);
    assert_eq!(company.accept(&grace, &token).await.code(), "mail_token_invalid", "a week and a day later");
    assert_eq!(resend(&owner).send().await.unwrap().status, 200);
    let token = company.mailed(&id).await;
    assert_eq!(company.accept(&grace, &token).await.status, 201);
}

#[tokio::test]
async fn who_may_no_longer_invite_has_not_invited() {
    let company = Company::start().await;
    for (n, demoted) in [false, true].into_iter().enumerate() {
        let admin = company.member(Role::Admin).await;
        let email = format!("eve{n}@example.com");
        let made: Value = company.invite(&admin, &email, "admin").await.expect(201).unwrap();
        let token = company.mailed(made["id"].as_str().unwrap()).await;
        let change = match demoted {
            true => company.set_role(&company.owner, admin.id, "developer"),
            false => company.remove(&company.owner, admin.id),
        };
        assert!([200, 204].contains(&change.send().await.unwrap().status));
        let eve = Human::new(&company.app, &email).await;
        assert_eq!(company.accept(&eve, &token).await.code(), "mail_token_invalid", "demoted: {demoted}");
        assert_eq!(company.role_of(&eve).await, None);
        let events =
            format!("/audit-events?action=invitation.revoked&subject={}", made["id"].as_str().unwrap());
        let log: Value = company.owner.get(&company.path(&events)).send().await.unwrap().expect(200).unwrap();
        assert_eq!(log["data"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_invitation_accepted_on_two_replicas_at_once_makes_one_member() {
    let mut company = Company::start().await;
    let second = company.app.another_api().await.unwrap();
    for round in 0..5 {
        let email = format!("grace{round}@example.com");
        let (_, token) = company.invited(&email, "developer").await;
        let grace = Human::new(&company.app, &email).await;
        let body = json!({ "token": token });
        let (here, there) = tokio::join!(
            grace.post("/v1/invitations/accept").json(&body).send(),
            grace.on(&second, Method::POST, "/v1/invitations/accept").json(&body).send()
        );
        let mut codes = [here.unwrap(), there.unwrap()].map(|reply| (reply.status, reply.code()));
        codes.sort();
        assert_eq!(codes, [(201, String::new()), (422, "mail_token_invalid".to_owned())], "round {round}");
        let members: i64 = sqlx::query_scalar("SELECT count(*) FROM memberships WHERE user_id = $1")
            .bind(grace.id)
            .fetch_one(company.app.core().db.pool())
            .await
            .unwrap();
        assert_eq!(members, 1);
    }
    // Under one Idempotency-Key the second gets the first answer.
    let (_, token) = company.invited("ada@example.com", "developer").await;
    let ada = Human::new(&company.app, "ada@example.com").await;
    let ask = |client: &testkit::Client| {
        let request =
            ada.on(client, Method::POST, "/v1/invitations/accept").header("idempotency-key", "join");
        request.json(&json!({ "token": token })).send()
    };
    let first: Value = ask(company.app.client()).await.unwrap().expect(201).unwrap();
    assert_eq!(ask(&second).await.unwrap().expect::<Value>(201).unwrap(), first);
}

#[tokio::test]
async fn there_is_an_end_to_invitations_and_members() {
    let company = Company::start().await;
    let fill = async |sql: &'static str| {
        sqlx::query(sql).bind(company.id).execute(company.app.core().db.pool()).await.unwrap();
    };
    // There is a limit on mails to one address, whatever is revoked in between.
    for _ in 0..5 {
        let (id, _) = company.invited("grace@example.com", "read_only").await;
        let revoked =
            company.owner.delete(&company.path(&format!("/invitations/{id}"))).send().await.unwrap();
        assert_eq!(revoked.status, 204);
    }
    let refused = company.invite(&company.owner, "grace@example.com", "read_only").await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"));

    fill(
        "INSERT INTO invitations \
             (id, organization_id, email, email_key, role, invited_by, created_at, expires_at) \
         SELECT gen_random_uuid(), $1, n || '@example.com', n || '@example.com', 'read_only', \
                gen_random_uuid(), now(), now() \
         FROM generate_series(1, 99) n",
    )
    .await;
    let (_, token) = company.invited("ada@example.com", "read_only").await;
    let refused = company.invite(&company.owner, "bob@example.com", "read_only").await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "limit_reached"), "the hundred and first");

    fill(
        "WITH made AS (INSERT INTO users (id, email, email_key, name, created_at, updated_at) \
             SELECT gen_random_uuid(), n || '@example.org', n || '@example.org', 'x', now(), now() \
             FROM generate_series(1, 499) n RETURNING id) \
         INSERT INTO memberships (organization_id, user_id, role, created_at) \
         SELECT $1, id, 'read_only', now() FROM made",
    )
    .await;
    let ada = Human::new(&company.app, "ada@example.com").await;
    let refused = company.accept(&ada, &token).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "limit_reached"),
        "the five hundred and first"
    );
}
