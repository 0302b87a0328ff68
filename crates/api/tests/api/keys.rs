//! `/v1/projects/{project}/keys`.

use std::time::Duration;

use dev::{AppOptions, TestApp};
use kernel::{Clock, caller::Role};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Request;

use crate::people::{Company, Human};

/// Starts a company whose clock the test moves.
async fn company_at(clock: &Clock) -> Company {
    let options = AppOptions { worker: false, clock: clock.clone(), ..Default::default() };
    Company::of(TestApp::start_with(options).await.unwrap()).await
}

impl Company {
    fn keys(&self, rest: &str) -> String {
        format!("/v1/projects/{}/keys{rest}", self.app.project())
    }

    fn new_key(&self, bearer: &str, scopes: &[&str]) -> Request {
        self.app.post(&self.keys("")).key(bearer).json(&json!({ "name": "import", "scopes": scopes }))
    }

    /// Creates a key of these scopes as the owner. Returns its id and its text.
    pub async fn key(&self, scopes: &[&str]) -> (String, String) {
        let made: Value = self.new_key(&self.owner.token, scopes).send().await.unwrap().expect(201).unwrap();
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    }

    async fn works(&self, key: &str) -> bool {
        self.app.get("/v1/agents").key(key).send().await.unwrap().status == 200
    }
}

#[tokio::test]
async fn a_key_is_made_shown_once_used_and_revoked() {
    let company = Company::start().await;
    let developer = company.member(Role::Developer).await;
    let made = company.new_key(&developer.token, &["agents:read", "keys:read"]).send().await.unwrap();
    let key: Value = made.expect(201).unwrap();
    let text = key["key"].as_str().unwrap();
    assert_eq!(made.header("location"), company.keys(&format!("/{}", key["id"].as_str().unwrap())));
    assert!(
        text.starts_with(key["prefix"].as_str().unwrap()) && text.starts_with("hf_development_"),
        "{key}"
    );
    assert_eq!(
        (&key["created_by"], &key["scopes"]),
        (&json!(developer.id), &json!(["agents:read", "keys:read"]))
    );
    assert_eq!((&key["expires_at"], &key["last_used_at"]), (&Value::Null, &Value::Null));

    assert!(company.works(text).await);
    // Afterward nobody sees its secret, not even with the key itself.
    let secret = text.rsplit('_').next().unwrap();
    for path in [made.header("location").to_owned(), company.keys("")] {
        let reply = company.app.get(&path).key(text).send().await.unwrap();
        let shown: Value = reply.expect(200).unwrap();
        assert!(!shown.to_string().contains(secret), "{path} shows the secret");
        let shown = if shown["data"].is_array() { shown["data"][0].clone() } else { shown };
        assert_eq!(shown["id"], key["id"]);
        assert!(shown["last_used_at"].is_string() && shown.get("key").is_none(), "{shown}");
    }
    assert_eq!(
        company.app.delete(made.header("location")).key(text).send().await.unwrap().code(),
        "permission_missing"
    );
    let revoke = || developer.delete(made.header("location"));
    assert_eq!(revoke().send().await.unwrap().status, 204);
    assert!(!company.works(text).await);
    assert_eq!(revoke().send().await.unwrap().status, 404);
    assert_eq!(developer.get(made.header("location")).send().await.unwrap().status, 404);
}

#[tokio::test]
async fn nobody_makes_or_manages_a_key_that_can_do_more() {
    let company = Company::start().await;
    let (_, narrow) = company.key(&["agents:read", "keys:read", "keys:write"]).await;
    let (wide, _) = company.key(&["agents:read", "agents:write"]).await;
    let refused = company.new_key(&narrow, &["agents:read", "agents:write"]).send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (403, "permission_missing"));
    for request in [
        company.app.delete(&company.keys(&format!("/{wide}"))).key(&narrow),
        company
            .app
            .post(&company.keys(&format!("/{wide}/rotate")))
            .key(&narrow)
            .json(&json!({ "overlap_seconds": 0 })),
    ] {
        let refused = request.send().await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (403, "permission_missing"));
    }
    let child: Value = company.new_key(&narrow, &["agents:read"]).send().await.unwrap().expect(201).unwrap();
    assert!(child["created_by"].as_str().unwrap().starts_with("key_"), "{child}");
    let child = company.keys(&format!("/{}", child["id"].as_str().unwrap()));
    assert_eq!(company.app.delete(&child).key(&narrow).send().await.unwrap().status, 204);

    let (_, powerless) = company.key(&["agents:read"]).await;
    assert_eq!(
        company.new_key(&powerless, &["agents:read"]).send().await.unwrap().code(),
        "permission_missing"
    );
    let reader = company.member(Role::ReadOnly).await;
    assert_eq!(reader.get(&company.keys("")).send().await.unwrap().code(), "permission_missing");
}

/// With another project in the path nothing is found, neither with a key nor by a person who is not
/// a member.
#[tokio::test]
async fn another_projects_keys_are_out_of_reach() {
    let company = Company::start().await;
    let (theirs, their_key) = company.app.another_project("theirs").await.unwrap();
    let page: Value = company
        .app
        .get(&format!("/v1/projects/{theirs}/keys"))
        .key(&their_key)
        .send()
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let their_id = page["data"][0]["id"].as_str().unwrap();
    let (ours, _) = company.key(&["agents:read"]).await;
    for bearer in [company.app.key(), &company.owner.token] {
        for (project, id) in [(theirs.to_string(), their_id), (theirs.to_string(), ours.as_str())] {
            let at = |rest: &str| format!("/v1/projects/{project}/keys{rest}");
            let new = json!({ "name": "x", "scopes": ["agents:read"] });
            for request in [
                company.app.get(&at("")),
                company.app.post(&at("")).json(&new),
                company.app.get(&at(&format!("/{id}"))),
                company.app.delete(&at(&format!("/{id}"))),
                company.app.post(&at(&format!("/{id}/rotate"))).json(&json!({ "overlap_seconds": 0 })),
            ] {
                let reply = request.key(bearer).send().await.unwrap();
                assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"));
            }
        }
        // Their key is not found under our project either.
        for request in [
            company.app.get(&company.keys(&format!("/{their_id}"))),
            company.app.delete(&company.keys(&format!("/{their_id}"))),
            company
                .app
                .post(&company.keys(&format!("/{their_id}/rotate")))
                .json(&json!({ "overlap_seconds": 0 })),
        ] {
            assert_eq!(request.key(bearer).send().await.unwrap().status, 404);
        }
    }
    assert!(company.works(&their_key).await);
}

/// It holds with Redis and NATS and without them, since only Postgres is asked.
#[tokio::test]
async fn a_revoked_key_is_refused_on_every_replica_within_five_seconds() {
    for accelerators in [true, false] {
        let options = AppOptions { worker: false, accelerators, ..Default::default() };
        let mut company = Company::of(TestApp::start_with(options).await.unwrap()).await;
        let second = company.app.another_api().await.unwrap();
        let (id, key) = company.key(&["agents:read"]).await;
        let there = async || second.get("/v1/agents").key(&key).send().await.unwrap().status;
        assert!(company.works(&key).await);
        assert_eq!(there().await, 200);
        let revoked = company.owner.delete(&company.keys(&format!("/{id}"))).send().await.unwrap();
        assert_eq!(revoked.status, 204);
        assert!(!company.works(&key).await, "on the replica that revoked it");
        tokio::time::sleep(Duration::from_millis(5_100)).await;
        assert_eq!(there().await, 401, "on the other, accelerators: {accelerators}");
    }
}

#[tokio::test]
async fn a_rotated_key_works_on_for_the_overlap_and_a_key_dies_at_its_expiry() {
    let clock = Clock::held(Clock::system().now());
    let company = company_at(&clock).await;
    let expires_at = clock.now() + chrono::TimeDelta::minutes(10);
    let body = json!({ "name": "short", "scopes": ["agents:read"], "expires_at": expires_at });
    let made: Value = company
        .app
        .post(&company.keys(""))
        .key(app_key(&company))
        .json(&body)
        .send()
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let (id, old) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    clock.advance(Duration::from_secs(60));
    let rotate = |id: &str, overlap: Value| {
        let path = company.keys(&format!("/{id}/rotate"));
        company.app.post(&path).key(app_key(&company)).json(&json!({ "overlap_seconds": overlap }))
    };
    for (overlap, code) in
        [(json!(-1), "out_of_range"), (json!(604_801), "out_of_range"), (json!("1"), "wrong_type")]
    {
        let refused = rotate(id, overlap).send().await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (422, code));
    }
    let rotated: Value = rotate(id, json!(120)).send().await.unwrap().expect(201).unwrap();
    let new = rotated["key"].as_str().unwrap();
    assert_eq!((&rotated["name"], &rotated["scopes"]), (&made["name"], &made["scopes"]));
    assert_eq!(rotated["replaces"], made["id"]);
    assert_eq!(rotated["expires_at"], json!(clock.now() + chrono::TimeDelta::minutes(10)), "as long a life");
    let again = rotate(id, json!(120)).send().await.unwrap();
    assert_eq!((again.status, again.code().as_str()), (409, "api_key_replaced"));

    assert!(company.works(old).await && company.works(new).await);
    clock.advance(Duration::from_secs(121));
    assert!(!company.works(old).await && company.works(new).await, "the overlap is over");
    clock.advance(Duration::from_secs(480));
    assert!(!company.works(new).await, "it has expired");
    let expired = rotate(rotated["id"].as_str().unwrap(), json!(0)).send().await.unwrap();
    assert_eq!(expired.code(), "api_key_replaced");
}

#[tokio::test]
async fn a_key_that_expires_leaves_nothing_that_lives_longer() {
    let clock = Clock::held(Clock::system().now());
    let company = company_at(&clock).await;
    let make = |by: &str, expires_at: Value| {
        let scopes = ["agents:read", "keys:read", "keys:write"];
        let body = json!({ "name": "short", "scopes": scopes, "expires_at": expires_at });
        company.app.post(&company.keys("")).key(by).json(&body).send()
    };
    let lasting: Value = make(app_key(&company), Value::Null).await.unwrap().expect(201).unwrap();
    let hour = clock.now() + chrono::TimeDelta::hours(1);
    let short: Value = make(app_key(&company), json!(hour)).await.unwrap().expect(201).unwrap();
    let key = short["key"].as_str().unwrap();
    for expiry in [Value::Null, json!(hour + chrono::TimeDelta::seconds(1))] {
        let refused = make(key, expiry).await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (422, "out_of_range"));
    }
    make(key, json!(hour)).await.unwrap().expect::<Value>(201).unwrap();
    let rotate = |id: &Value| {
        let path = company.keys(&format!("/{}/rotate", id.as_str().unwrap()));
        company.app.post(&path).key(key).json(&json!({ "overlap_seconds": 60 })).send()
    };
    let refused = rotate(&lasting["id"]).await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    assert!(company.works(lasting["key"].as_str().unwrap()).await);
    rotate(&short["id"]).await.unwrap().expect::<Value>(201).unwrap();
}

/// Returns the bootstrap key, which does not expire; access tokens do when the clock is moved.
fn app_key(company: &Company) -> &str {
    company.app.key()
}

#[tokio::test]
async fn the_same_request_is_answered_with_the_same_key_and_postgres_never_has_it() {
    let mut company = Company::start().await;
    let second = company.app.another_api().await.unwrap();
    let body = json!({ "name": "once", "scopes": ["agents:read"] });
    let ask = |human: &Human, client: &testkit::Client, body: &Value| {
        human.on(client, Method::POST, &company.keys("")).header("idempotency-key", "\"k1\"").json(body)
    };
    let (here, there) = tokio::join!(
        ask(&company.owner, company.app.client(), &body).send(),
        ask(&company.owner, &second, &body).send()
    );
    for reply in [here.unwrap(), there.unwrap()] {
        assert!(reply.status == 201 || reply.code() == "idempotency_in_flight", "{}", reply.json());
    }
    let first: Value = ask(&company.owner, &second, &body).send().await.unwrap().expect(201).unwrap();
    let again = ask(&company.owner, company.app.client(), &body).send().await.unwrap();
    assert_eq!(again.expect::<Value>(201).unwrap(), first);
    assert!(company.works(first["key"].as_str().unwrap()).await);
    assert_eq!(company.count("api_keys").await, 2, "the bootstrap's, and one");
    let other = json!({ "name": "twice", "scopes": ["agents:read"] });
    let reused = ask(&company.owner, &second, &other).send().await.unwrap();
    assert_eq!((reused.status, reused.code().as_str()), (422, "idempotency_key_reused"));
    // Somebody else's request under the same idempotency key is another one.
    let developer = company.member(Role::Developer).await;
    let theirs: Value = ask(&developer, &second, &body).send().await.unwrap().expect(201).unwrap();
    assert_ne!(theirs["id"], first["id"]);

    let secret = first["key"].as_str().unwrap().rsplit('_').next().unwrap();
    let held: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM idempotent_requests WHERE position($1::bytea IN response) > 0) \
             OR EXISTS (SELECT FROM api_keys k WHERE k::text LIKE '%' || $2 || '%') \
             OR EXISTS (SELECT FROM audit_events a WHERE a::text LIKE '%' || $2 || '%')",
    )
    .bind(secret.as_bytes())
    .bind(secret)
    .fetch_one(company.app.core().db.pool())
    .await
    .unwrap();
    assert!(!held, "the secret stands in the database");
}

#[tokio::test]
async fn there_is_an_end_to_keys_also_for_two_at_once() {
    let company = Company::start().await;
    sqlx::query(
        "INSERT INTO api_keys (id, project_id, name, prefix, secret_hash, scopes, created_by, created_at) \
         SELECT gen_random_uuid(), $1, 'x', 'x', sha256(n::text::bytea), '{*}', 'system', now() \
         FROM generate_series(1, 98) n",
    )
    .bind(company.app.project())
    .execute(company.app.core().db.pool())
    .await
    .unwrap();
    let new = || company.new_key(&company.owner.token, &["agents:read"]).send();
    let (one, other) = tokio::join!(new(), new());
    let mut codes = [one.unwrap(), other.unwrap()].map(|reply| (reply.status, reply.code()));
    codes.sort();
    assert_eq!(codes, [(201, String::new()), (409, "limit_reached".to_owned())]);
    let page: Value = company.owner.get(&company.keys("?limit=1")).send().await.unwrap().expect(200).unwrap();
    let newest = page["data"][0]["id"].as_str().unwrap().to_owned();
    let rotate = |overlap: u32| {
        let body = json!({ "overlap_seconds": overlap });
        company.owner.post(&company.keys(&format!("/{newest}/rotate"))).json(&body).send()
    };
    assert_eq!(rotate(60).await.unwrap().code(), "limit_reached");
    assert_eq!(rotate(0).await.unwrap().status, 201);
}

#[tokio::test]
async fn bad_input_is_named_and_makes_no_key() {
    let company = Company::start().await;
    let before = company.count("api_keys").await;
    let good = json!({ "name": "x", "scopes": ["agents:read"] });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (body, code, pointer) in [
        (with("name", json!("a\0")), "nul_byte", "/name"),
        (with("name", json!("a\nb")), "control_character", "/name"),
        (with("name", json!("")), "too_short", "/name"),
        (with("name", json!("x".repeat(101))), "too_long", "/name"),
        (with("scopes", json!([])), "too_short", "/scopes"),
        (with("scopes", json!(vec!["agents:read"; 33])), "too_long", "/scopes"),
        (with("scopes", json!("agents:read")), "wrong_type", "/scopes"),
        (with("scopes", json!(["agents:read", "members:write"])), "unknown_scope", "/scopes/1"),
        (with("scopes", json!(["*"])), "unknown_scope", "/scopes/0"),
        (with("scopes", json!(["'; DROP TABLE api_keys; --"])), "unknown_scope", "/scopes/0"),
        (with("expires_at", json!("2020-01-01T00:00:00Z")), "out_of_range", "/expires_at"),
        (with("expires_at", json!("9999-01-01T00:00:00Z")), "out_of_range", "/expires_at"),
        (with("expires_at", json!("tomorrow")), "wrong_type", "/expires_at"),
        (with("project_id", json!("x")), "unknown_field", "/project_id"),
    ] {
        let reply = company.owner.post(&company.keys("")).json(&body).send().await.unwrap();
        let problem = reply.json();
        assert_eq!((reply.status, problem["code"].as_str()), (422, Some(code)), "{body}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    for id in ["key_", "key_1", "'%20OR%201=1", "%00", "agt_019aa3f0c1d27abc8def0123456789ab"] {
        assert_eq!(
            company.owner.get(&company.keys(&format!("/{id}"))).send().await.unwrap().status,
            404,
            "{id}"
        );
    }
    for header in ["", "\"\"", "a b", "ключ"] {
        let reply = company.owner.post(&company.keys("")).header("idempotency-key", header).json(&good);
        assert_eq!(reply.send().await.unwrap().code(), "malformed_request", "{header:?}");
    }
    assert_eq!(company.count("api_keys").await, before);
}
