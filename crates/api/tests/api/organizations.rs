//! `/v1/organizations` with its members and projects.

use dev::TestApp;
use domain::{identity::organizations::adopt, mail::Email};
use kernel::{Code, caller::Role, ids::UserId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::client::Request;

use crate::people::{Company, Human};

#[tokio::test]
async fn an_organisation_is_made_found_listed_and_renamed() {
    let app = TestApp::start().await.unwrap();
    let ada = Human::new(&app, "ada@example.com").await;
    let made = ada.post("/v1/organizations").json(&json!({ "name": "Looms" })).send().await.unwrap();
    let looms: Value = made.expect(201).unwrap();
    let path = format!("/v1/organizations/{}", looms["id"].as_str().unwrap());
    assert_eq!((made.header("location"), made.header("etag")), (path.as_str(), "\"v1\""));
    assert_eq!((&looms["name"], &looms["role"]), (&json!("Looms"), &json!("owner")));

    assert_eq!(ada.get(&path).send().await.unwrap().expect::<Value>(200).unwrap(), looms);
    let page: Value = ada.get("/v1/organizations").send().await.unwrap().expect(200).unwrap();
    assert_eq!(page["data"], json!([looms]));

    let rename = |tag: &str| ada.patch(&path).header("if-match", tag).json(&json!({ "name": "Engines" }));
    let unconditional = rename("*").without("if-match").send().await.unwrap();
    assert_eq!((unconditional.status, unconditional.code().as_str()), (428, "precondition_required"));
    let renamed = rename("\"v1\"").send().await.unwrap();
    assert_eq!(renamed.expect::<Value>(200).unwrap()["name"], "Engines");
    assert_eq!(renamed.header("etag"), "\"v2\"");
    assert_eq!(rename("\"v1\"").send().await.unwrap().code(), "version_mismatch");
}

/// For every request, the answer for an unknown organization equals that for a foreign one.
#[tokio::test]
async fn to_strangers_there_is_no_such_organisation() {
    let company = Company::start().await;
    let eve = Human::new(&company.app, "eve@example.com").await;
    let foreign = company.path("");
    let unknown = "/v1/organizations/org_00000000000070008000000000000000";
    for (method, rest, body) in [
        (Method::GET, String::new(), None),
        (Method::PATCH, String::new(), Some(json!({ "name": "mine" }))),
        (Method::GET, "/members".to_owned(), None),
        (Method::GET, format!("/members/{}", company.owner.id), None),
        (Method::PATCH, format!("/members/{}", eve.id), Some(json!({ "role": "owner" }))),
        (Method::DELETE, format!("/members/{}", company.owner.id), None),
        (Method::GET, "/projects".to_owned(), None),
        (Method::POST, "/projects".to_owned(), Some(json!({ "name": "mine" }))),
    ] {
        let ask = async |organization: &str| {
            let mut request =
                eve.request(method.clone(), &format!("{organization}{rest}")).header("if-match", "*");
            if let Some(body) = &body {
                request = request.json(body);
            }
            let mut reply = request.send().await.unwrap();
            let mut problem = reply.json();
            problem["request_id"] = Value::Null;
            reply.headers.remove("x-request-id");
            (reply.status, problem)
        };
        let (status, problem) = ask(&foreign).await;
        assert_eq!(status, 404, "{method} {rest}: {problem}");
        assert_eq!((status, problem), ask(unknown).await, "{method} {rest}");
    }
    let page: Value = eve.get("/v1/organizations").send().await.unwrap().expect(200).unwrap();
    assert_eq!(page["data"], json!([]));
    // An API key is not a membership.
    let by_key = company.app.get(&company.path("")).key(company.app.key()).send().await.unwrap();
    assert_eq!((by_key.status, by_key.code().as_str()), (403, "forbidden"));
}

#[tokio::test]
async fn only_owners_touch_owners_and_nobody_rises_by_themselves() {
    let company = Company::start().await;
    let [admin, developer] = [Role::Admin, Role::Developer].map(|role| company.member(role));
    let (admin, developer) = (admin.await, developer.await);
    let set =
        async |by: &Human, whom: UserId, role: &str| company.set_role(by, whom, role).send().await.unwrap();
    for (what, by, whom, role, code) in [
        ("an admin makes themselves an owner", &admin, admin.id, "owner", "role_too_high"),
        ("an admin makes another an owner", &admin, developer.id, "owner", "role_too_high"),
        ("an admin demotes an owner", &admin, company.owner.id, "developer", "role_too_high"),
        ("a developer makes themselves an admin", &developer, developer.id, "admin", "permission_missing"),
        ("the last owner steps down", &company.owner, company.owner.id, "admin", "last_owner"),
    ] {
        assert_eq!(set(by, whom, role).await.code(), code, "{what}");
    }
    let removes = async |by: &Human, whom: UserId| company.remove(by, whom).send().await.unwrap();
    assert_eq!(removes(&admin, company.owner.id).await.code(), "role_too_high");
    assert_eq!(removes(&developer, admin.id).await.code(), "permission_missing");
    assert_eq!(removes(&company.owner, company.owner.id).await.code(), "last_owner");

    // With a second owner the first may go.
    assert_eq!(set(&company.owner, admin.id, "owner").await.status, 200);
    assert_eq!(removes(&company.owner, company.owner.id).await.status, 204);
    assert_eq!(company.owner.get(&company.path("")).send().await.unwrap().status, 404);
    let page: Value = admin.get(&company.path("/members")).send().await.unwrap().expect(200).unwrap();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    // Leaving requires no permission.
    assert_eq!(removes(&developer, developer.id).await.status, 204);
}

/// Each would leave the other as the only owner; the second one is not an owner any more.
#[tokio::test]
async fn two_owners_who_demote_each_other_leave_one() {
    let mut company = Company::start().await;
    let second = company.app.another_api().await.unwrap();
    let other = company.member(Role::Owner).await;
    for round in 0..5 {
        let here = company.set_role(&company.owner, other.id, "admin").send();
        let there =
            other.on(&second, Method::PATCH, &company.path(&format!("/members/{}", company.owner.id)));
        let there = there.header("if-match", "*").json(&json!({ "role": "admin" })).send();
        let (here, there) = tokio::join!(here, there);
        let mut codes = [here.unwrap(), there.unwrap()].map(|reply| (reply.status, reply.code()));
        codes.sort();
        assert_eq!(codes[0].0, 200, "round {round}: {codes:?}");
        assert_eq!(codes[1], (403, "role_too_high".to_owned()), "round {round}");
        assert_eq!(company.owners().await, 1);
        company.restore(&[company.owner.id, other.id], Role::Owner).await;

        let (here, there) = tokio::join!(
            company.remove(&company.owner, company.owner.id).send(),
            other.on(&second, Method::DELETE, &company.path(&format!("/members/{}", other.id))).send()
        );
        let mut codes = [here.unwrap(), there.unwrap()].map(|reply| (reply.status, reply.code()));
        codes.sort();
        assert_eq!(codes, [(204, String::new()), (409, "last_owner".to_owned())], "round {round}: both left");
        assert_eq!(company.owners().await, 1);
        company.restore(&[company.owner.id, other.id], Role::Owner).await;
    }
}

#[tokio::test]
async fn a_removed_member_is_out_on_every_replica_within_five_seconds() {
    let mut company = Company::start().await;
    let second = company.app.another_api().await.unwrap();
    let developer = company.member(Role::Developer).await;
    let project = format!("/v1/projects/{}", company.app.project());
    for path in [project.as_str(), &company.path("")] {
        assert_eq!(developer.get(path).send().await.unwrap().status, 200);
        assert_eq!(developer.on(&second, Method::GET, path).send().await.unwrap().status, 200);
    }
    assert_eq!(company.remove(&company.owner, developer.id).send().await.unwrap().status, 204);
    for path in [project.as_str(), &company.path("")] {
        assert_eq!(
            developer.get(path).send().await.unwrap().status,
            404,
            "{path} on the replica that removed them"
        );
    }
    tokio::time::sleep(std::time::Duration::from_millis(5_100)).await;
    for path in [project.as_str(), &company.path("")] {
        assert_eq!(
            developer.on(&second, Method::GET, path).send().await.unwrap().status,
            404,
            "{path} elsewhere"
        );
    }
}

#[tokio::test]
async fn a_project_is_made_found_listed_and_renamed() {
    let company = Company::start().await;
    let admin = company.member(Role::Admin).await;
    let reader = company.member(Role::ReadOnly).await;
    let new = |by: &Human| by.post(&company.path("/projects")).json(&json!({ "name": "Engine" }));
    assert_eq!(new(&reader).send().await.unwrap().code(), "permission_missing");
    let made = new(&admin).send().await.unwrap();
    let project: Value = made.expect(201).unwrap();
    let path = made.header("location").to_owned();
    assert_eq!(
        (&project["plan"], &project["organization_id"]),
        (&json!("free"), &json!(company.id.to_string()))
    );
    assert_eq!(reader.get(&path).send().await.unwrap().expect::<Value>(200).unwrap(), project);
    let page: Value =
        reader.get(&company.path("/projects?limit=1")).send().await.unwrap().expect(200).unwrap();
    assert_eq!(page["data"], json!([project]));
    assert!(page["next_cursor"].is_string(), "the first project is on the next page: {page}");

    let rename =
        |by: &Human| by.patch(&path).header("if-match", made.header("etag")).json(&json!({ "name": "Mill" }));
    assert_eq!(rename(&reader).send().await.unwrap().code(), "permission_missing");
    assert_eq!(rename(&admin).send().await.unwrap().expect::<Value>(200).unwrap()["version"], 2);
    assert_eq!(rename(&admin).send().await.unwrap().code(), "version_mismatch");

    let own = format!("/v1/projects/{}", company.app.project());
    let by_key = |path: &str| company.app.get(path).key(company.app.key());
    assert_eq!(by_key(&own).send().await.unwrap().status, 200);
    assert_eq!(by_key(&path).send().await.unwrap().code(), "not_found", "a key in another project's path");
}

#[tokio::test]
async fn the_same_request_sent_twice_makes_one() {
    let mut company = Company::start().await;
    let second = company.app.another_api().await.unwrap();
    for (path, table) in
        [("/v1/organizations".to_owned(), "organizations"), (company.path("/projects"), "projects")]
    {
        let before = company.count(table).await;
        let post =
            |request: Request| request.header("idempotency-key", table).json(&json!({ "name": "One" }));
        let (here, there) = tokio::join!(
            post(company.owner.post(&path)).send(),
            post(company.owner.on(&second, Method::POST, &path)).send()
        );
        let replies = [here.unwrap(), there.unwrap()];
        assert!(replies.iter().any(|reply| reply.status == 201), "{path}: {:?}", replies[0].json());
        for reply in &replies {
            assert!(
                reply.status == 201 || reply.code() == "idempotency_in_flight",
                "{path}: {}",
                reply.json()
            );
        }
        let [again, once_more] =
            [post(company.owner.post(&path)), post(company.owner.on(&second, Method::POST, &path))];
        let (again, once_more) = (again.send().await.unwrap(), once_more.send().await.unwrap());
        assert_eq!(again.expect::<Value>(201).unwrap(), once_more.expect::<Value>(201).unwrap());
        assert_eq!(again.header("etag"), "\"v1\"");
        assert_eq!(company.count(table).await, before + 1, "{path}");
        let other =
            company.owner.post(&path).header("idempotency-key", table).json(&json!({ "name": "Two" }));
        assert_eq!(other.send().await.unwrap().code(), "idempotency_key_reused");
    }
}

#[tokio::test]
async fn there_is_an_end_to_organisations_and_projects() {
    let company = Company::start().await;
    let add = async |sql: &'static str| {
        sqlx::query(sql)
            .bind(company.owner.id)
            .bind(company.id)
            .execute(company.app.core().db.pool())
            .await
            .unwrap();
    };
    add("WITH made AS (INSERT INTO organizations (id, name, created_at, updated_at) \
             SELECT gen_random_uuid(), 'x', now(), now() FROM generate_series(1, 48) RETURNING id) \
         INSERT INTO memberships (organization_id, user_id, role, created_at) \
         SELECT id, $1, 'owner', now() FROM made WHERE $2 IS NOT NULL")
    .await;
    let new = || company.owner.post("/v1/organizations").json(&json!({ "name": "another" }));
    assert_eq!(new().send().await.unwrap().status, 201, "the fiftieth");
    let refused = new().send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (409, "limit_reached"));

    add("INSERT INTO projects (id, organization_id, name, created_at, updated_at) \
         SELECT gen_random_uuid(), $2, 'x', now(), now() FROM generate_series(1, 98) WHERE $1 IS NOT NULL")
    .await;
    let new = || company.owner.post(&company.path("/projects")).json(&json!({ "name": "another" }));
    assert_eq!(new().send().await.unwrap().status, 201, "the hundredth");
    let refused = new().send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (409, "limit_reached"));
}

#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    let company = Company::start().await;
    let before = company.count("organizations").await;
    let long = "x".repeat(101);
    for (what, body, status, code) in [
        ("a NUL", json!({ "name": "a\0b" }), 422, "nul_byte"),
        ("two lines", json!({ "name": "Looms\r\nBcc: eve@example.com" }), 422, "control_character"),
        ("an over-long name", json!({ "name": long }), 422, "too_long"),
        ("an empty name", json!({ "name": "" }), 422, "too_short"),
        ("a number", json!({ "name": 7 }), 422, "wrong_type"),
        ("no name", json!({ "name": null }), 422, "wrong_type"),
        ("more than is asked", json!({ "name": "x", "role": "owner" }), 422, "unknown_field"),
        ("a list", json!(["x"]), 422, "wrong_type"),
    ] {
        for path in ["/v1/organizations".to_owned(), company.path("/projects")] {
            let reply = company.owner.post(&path).json(&body).send().await.unwrap();
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{what} at {path}");
        }
        for path in [company.path(""), format!("/v1/projects/{}", company.app.project())] {
            let reply = company.owner.patch(&path).header("if-match", "*").json(&body).send().await.unwrap();
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{what} at {path}");
        }
    }
    for path in ["/v1/organizations".to_owned(), company.path("/projects")] {
        let reply = company.owner.post(&path).json(&json!({})).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (422, "missing_field"), "nothing at {path}");
    }
    // A change without a field changes nothing.
    for path in [company.path(""), format!("/v1/projects/{}", company.app.project())] {
        let found = company.owner.get(&path).send().await.unwrap();
        let reply = company.owner.patch(&path).header("if-match", found.header("etag")).json(&json!({}));
        let reply = reply.send().await.unwrap();
        assert_eq!((reply.status, &reply.body), (200, &found.body), "nothing at {path}");
        assert_eq!(reply.header("etag"), found.header("etag"), "nothing at {path}");
    }
    assert_eq!(company.count("organizations").await, before);
    // A name that looks like SQL is a name like any other.
    let name = "'; DROP TABLE organizations; -- \u{202e}%_\\";
    let made = company.owner.post("/v1/organizations").json(&json!({ "name": name })).send().await.unwrap();
    assert_eq!(made.expect::<Value>(201).unwrap()["name"], name);
    for id in ["org_", "org_1", "prj_019aa3f0c1d27abc8def0123456789ab", "'%20OR%201=1", "%00", "..%2f.."] {
        let reply = company.owner.get(&format!("/v1/organizations/{id}")).send().await.unwrap();
        assert_eq!(reply.status, 404, "{id}");
    }
    let unknown_role = company.set_role(&company.owner, company.owner.id, "god").send().await.unwrap();
    assert_eq!((unknown_role.status, unknown_role.code().as_str()), (422, "wrong_type"));
}

#[tokio::test]
async fn a_bootstrapped_organisation_gets_its_first_owner_from_the_operator_alone() {
    let app = TestApp::start().await.unwrap();
    let (core, project) = (app.core(), app.project());
    let email = |text: &str| text.parse::<Email>().unwrap();
    let refused = async |project, text: &str| adopt(core, project, &email(text)).await.unwrap_err().code();
    assert_eq!(refused(project, "ada@example.com").await, Code::NotFound, "no account");
    let (ada, bob) = (Human::new(&app, "ada@example.com").await, Human::new(&app, "bob@example.com").await);
    assert_eq!(refused(core.ids.next(), "ada@example.com").await, Code::NotFound, "no project");
    sqlx::query("UPDATE users SET email_verified_at = NULL WHERE id = $1")
        .bind(bob.id)
        .execute(core.db.pool())
        .await
        .unwrap();
    assert_eq!(refused(project, "bob@example.com").await, Code::EmailUnverified);

    let adopted = adopt(core, project, &email("ADA@example.com")).await.unwrap();
    assert_eq!(refused(project, "ada@example.com").await, Code::Forbidden, "somebody owns it");
    let found: Value =
        ada.get(&format!("/v1/organizations/{adopted}")).send().await.unwrap().expect(200).unwrap();
    assert_eq!(found["role"], "owner");
    let events = format!("/v1/organizations/{adopted}/audit-events?action=organization.adopted");
    let log: Value = ada.get(&events).send().await.unwrap().expect(200).unwrap();
    assert_eq!(log["data"][0]["subject"], json!(ada.id));
}
