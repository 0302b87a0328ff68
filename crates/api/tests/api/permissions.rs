//! Every role and every scope against every route, as the table of `identity/access.rs` allows it.

use std::collections::BTreeSet;

use dev::TestApp;
use kernel::caller::{Permission, Permissions, Role};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Identity, client::Request};

use crate::{
    openapi,
    people::{Company, Human},
};

/// A route and a request to it. In its path and body `{…}` stands for something made for the one
/// request, so that one that is allowed succeeds.
struct Route {
    method: Method,
    path: &'static str,
    body: Option<Value>,
    permission: Permission,
    /// True if it is in a project, where API keys work too.
    in_project: bool,
}

fn routes() -> Vec<Route> {
    use Method as M;
    use Permission as P;
    let name = || Some(json!({ "name": "Mill" }));
    let route = |method, path: &'static str, body, permission| {
        let in_project = !path.starts_with("/v1/organizations");
        Route { method, path, body, permission, in_project }
    };
    let key = || Some(json!({ "name": "x", "scopes": ["keys:write"] }));
    vec![
        route(M::GET, "/v1/organizations/{organization}", None, P::MembersRead),
        route(M::PATCH, "/v1/organizations/{organization}", name(), P::OrganizationWrite),
        route(M::GET, "/v1/organizations/{organization}/members", None, P::MembersRead),
        route(M::GET, "/v1/organizations/{organization}/members/{user}", None, P::MembersRead),
        route(
            M::PATCH,
            "/v1/organizations/{organization}/members/{user}",
            Some(json!({ "role": "developer" })),
            P::MembersWrite,
        ),
        route(M::DELETE, "/v1/organizations/{organization}/members/{user}", None, P::MembersWrite),
        route(M::GET, "/v1/organizations/{organization}/invitations", None, P::MembersRead),
        route(
            M::POST,
            "/v1/organizations/{organization}/invitations",
            Some(json!({ "email": "{address}", "role": "read_only" })),
            P::MembersWrite,
        ),
        route(M::DELETE, "/v1/organizations/{organization}/invitations/{invitation}", None, P::MembersWrite),
        route(
            M::POST,
            "/v1/organizations/{organization}/invitations/{invitation}/resend",
            None,
            P::MembersWrite,
        ),
        route(M::GET, "/v1/organizations/{organization}/projects", None, P::ProjectRead),
        route(M::POST, "/v1/organizations/{organization}/projects", name(), P::ProjectWrite),
        route(M::GET, "/v1/organizations/{organization}/audit-events", None, P::AuditRead),
        route(M::GET, "/v1/organizations/{organization}/audit-events/export", None, P::AuditRead),
        route(M::GET, "/v1/organizations/{organization}/audit-events", None, P::AuditRead),
        route(M::GET, "/v1/organizations/{organization}/audit-events/export", None, P::AuditRead),
        route(M::GET, "/v1/projects/{project}", None, P::ProjectRead),
        route(M::PATCH, "/v1/projects/{project}", name(), P::ProjectWrite),
        route(M::GET, "/v1/projects/{project}/keys", None, P::KeysRead),
        route(M::POST, "/v1/projects/{project}/keys", key(), P::KeysWrite),
        route(M::GET, "/v1/projects/{project}/keys/{key}", None, P::KeysRead),
        route(M::DELETE, "/v1/projects/{project}/keys/{key}", None, P::KeysWrite),
        route(
            M::POST,
            "/v1/projects/{project}/keys/{key}/rotate",
            Some(json!({ "overlap_seconds": 0 })),
            P::KeysWrite,
        ),
        route(M::GET, "/v1/agents", None, P::AgentsRead),
        route(M::POST, "/v1/agents", Some(json!({})), P::AgentsWrite),
        route(M::GET, "/v1/agents/{agent}", None, P::AgentsRead),
        route(M::PATCH, "/v1/agents/{agent}", Some(json!({ "name": "Ada L." })), P::AgentsWrite),
        route(M::DELETE, "/v1/agents/{agent}", None, P::AgentsWrite),
        route(M::GET, "/v1/intents", None, P::IntentsRead),
        route(M::GET, "/v1/intents/{intent}", None, P::IntentsRead),
    ]
}

impl Company {
    /// Returns a request that succeeds if its bearer may make it.
    async fn request(&self, route: &Route, bearer: &str) -> Request {
        let mut path = route.path.replace("{organization}", &self.id.to_string());
        path = path.replace("{project}", &self.app.project().to_string());
        if path.contains("{user}") {
            path = path.replace("{user}", &self.member(Role::ReadOnly).await.id.to_string());
        }
        if path.contains("{key}") {
            path = path.replace("{key}", &self.key(&["keys:write"]).await.0);
        }
        if path.contains("{agent}") {
            path = path.replace("{agent}", self.app.agent("Ada").await.unwrap().did());
        }
        if path.contains("{intent}") {
            let (ada, bob) = (self.app.agent("Ada").await.unwrap(), self.app.agent("Bob").await.unwrap());
            let body = json!({ "to": bob.did(), "type": "greeting", "payload": {} });
            let sent: Value = self
                .app
                .post("/v1/intents")
                .json(&body)
                .sign(&ada)
                .send()
                .await
                .unwrap()
                .expect(202)
                .unwrap();
            path = path.replace("{intent}", sent["id"].as_str().unwrap());
        }
        if path.contains("{invitation}") {
            path = path.replace("{invitation}", &self.old_invitation().await);
        }
        let mut request =
            self.app.client().request(route.method.clone(), &path).key(bearer).header("if-match", "*");
        if let Some(body) = &route.body {
            let address = format!("{}@example.com", self.app.core().ids.next::<uuid::Uuid>().simple());
            let body: Value = serde_json::from_str(&body.to_string().replace("{address}", &address)).unwrap();
            request = request.json(&body);
        }
        if route.in_project {
            request = request.header("holdfast-project", &self.app.project().to_string());
        }
        if (&route.method, route.path) == (&Method::POST, "/v1/agents") {
            let ada = Identity::generate();
            let body = json!({ "did": ada.did(), "public_key": ada.public_key(), "name": "Ada" });
            request = request.json(&body).sign(&ada);
        }
        request
    }

    async fn check(&self, who: &str, bearer: &str, route: &Route, allowed: bool) {
        let reply = self.request(route, bearer).await.send().await.unwrap();
        let what = format!("{who}: {} {}", route.method, route.path);
        if allowed {
            assert!((200..300).contains(&reply.status), "{what} should be allowed: {}", reply.json());
        } else {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "permission_missing"),
                "{what}: {}",
                reply.json()
            );
            let detail = reply.json()["detail"].as_str().unwrap().to_owned();
            assert!(
                detail.contains(route.permission.as_str()),
                "{what} does not say what is missing: {detail}"
            );
        }
    }
}

#[tokio::test]
async fn every_role_may_what_the_table_says() {
    let company = Company::start().await;
    for role in Role::ALL {
        for route in routes() {
            // Each request has a person of its own, since one of the routes may end what they are.
            let human = company.member(role).await;
            company
                .check(
                    role.as_str(),
                    &human.token,
                    &route,
                    Permissions::of_role(role).allow(route.permission),
                )
                .await;
        }
    }
}

#[tokio::test]
async fn every_scope_opens_its_routes_and_no_others() {
    let company = Company::start().await;
    for scope in Permissions::scopes().iter() {
        let (_, key) = company.key(&[scope.as_str()]).await;
        for route in routes().iter().filter(|route| route.in_project) {
            company.check(&format!("a key of {scope}"), &key, route, route.permission == scope).await;
        }
    }
    // Even the key that has every scope is not a person.
    for route in routes().iter().filter(|route| !route.in_project) {
        let reply = company.request(route, company.app.key()).await.send().await.unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "forbidden"),
            "{} {}",
            route.method,
            route.path
        );
    }
}

/// An agent handles agents and intents, and neither keys nor projects nor people.
#[tokio::test]
async fn an_agent_manages_neither_projects_nor_keys() {
    let company = Company::start().await;
    let ada = company.app.agent("Ada").await.unwrap();
    for route in routes().iter().filter(|route| route.path.starts_with("/v1/projects")) {
        let request = company.request(route, "").await.without("authorization").sign(&ada);
        let reply = request.send().await.unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "permission_missing"),
            "{} {}",
            route.method,
            route.path
        );
    }
}

/// Nobody gets in without credentials, and a person who is not a member learns nothing.
#[tokio::test]
async fn strangers_get_nothing() {
    let company = Company::start().await;
    let eve = Human::new(&company.app, "eve@example.com").await;
    for route in routes() {
        let what = format!("{} {}", route.method, route.path);
        let anonymous = company.request(&route, "").await.without("authorization").without("signature-input");
        let reply = anonymous.without("signature").send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (401, "credentials_missing"), "{what}");
        let reply = company.request(&route, &eve.token).await.send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{what}");
    }
}

/// The table above has every such route.
#[test]
fn no_route_is_forgotten() {
    let document = serde_json::to_value(api::document()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let roots = ["/v1/organizations/", "/v1/projects/", "/v1/agents", "/v1/intents"];
        for (method, operation) in item.as_object().unwrap() {
            let for_people = operation["security"].to_string().contains("access_token");
            if for_people && roots.iter().any(|root| path.starts_with(root)) {
                documented.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    let tested: BTreeSet<_> =
        routes().iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(documented, tested);

    // The document names the permission of each, as the scope of its credentials.
    for route in routes() {
        let pointer = format!(
            "/paths/{}/{}/security",
            route.path.replace('/', "~1"),
            route.method.as_str().to_lowercase()
        );
        let security = document.pointer(&pointer).unwrap().as_array().unwrap();
        for (scheme, scopes) in security.iter().flat_map(|way| way.as_object().unwrap()) {
            let said = scopes == &json!([route.permission.as_str()]);
            assert!(
                said || scheme == "agent_signature",
                "{} {}: {scheme} {scopes}",
                route.method,
                route.path
            );
        }
    }
}

/// A permission that no operation requires would be given to keys for nothing.
#[test]
fn every_permission_is_required_somewhere() {
    let document = openapi::document();
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|item| item.as_object().unwrap().values());
    let ways = operations.flat_map(|operation| operation["security"].as_array().unwrap());
    let scopes = ways.flat_map(|way| way.as_object().unwrap().values());
    let required: BTreeSet<&str> =
        scopes.flat_map(|scopes| scopes.as_array().unwrap()).map(|scope| scope.as_str().unwrap()).collect();
    let all: BTreeSet<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    assert_eq!(required, all);
}

#[tokio::test]
async fn a_project_has_ten_thousand_agents_at_most() {
    let app = TestApp::start_with(dev::AppOptions { worker: false, ..Default::default() }).await.unwrap();
    let ada = app.agent("Ada").await.unwrap();
    sqlx::query(
        "INSERT INTO agents (id, project_id, did, public_key, name, capabilities, created_at, updated_at) \
         SELECT gen_random_uuid(), $1, 'did:web:' || n, sha256(n::text::bytea), 'x', '[]', now(), now() \
         FROM generate_series(2, 10000) n",
    )
    .bind(app.project())
    .execute(app.core().db.pool())
    .await
    .unwrap();
    let register = async |agent: &Identity| {
        let body = json!({ "did": agent.did(), "public_key": agent.public_key(), "name": "Ada" });
        app.post("/v1/agents").key(app.key()).json(&body).sign(agent).send().await.unwrap()
    };
    let refused = register(&Identity::generate()).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "limit_reached"));
    assert_eq!(register(&ada).await.status, 200, "one that is there may still change");
    assert_eq!(app.delete(&format!("/v1/agents/{}", ada.did())).sign(&ada).send().await.unwrap().status, 204);
    assert_eq!(register(&Identity::generate()).await.status, 201);
}

/// The document for people agrees with the table.
#[test]
fn the_roles_are_documented() {
    let text = include_str!("../../../../docs/accounts.md");
    let mut below = Permissions::default();
    for role in Role::ALL {
        let adds = Permissions::of_role(role).difference(below);
        below = Permissions::of_role(role);
        let names = adds.iter().map(|permission| format!("`{permission}`")).collect::<Vec<_>>().join(" ");
        let row = format!("| `{role}` | {names} |");
        assert!(text.contains(&row), "docs/accounts.md does not say: {row}");
    }
    use domain::identity::{api_keys, organizations};
    for (what, most) in [
        ("organizations of a person", organizations::MAX_OF_A_PERSON.to_string()),
        ("members of an organization", organizations::MAX_MEMBERS.to_string()),
        ("open invitations of an organization", organizations::invitations::MAX_OPEN.to_string()),
        ("projects of an organization", organizations::MAX_PROJECTS.to_string()),
        ("API keys in use in a project", api_keys::MAX_LIVE.to_string()),
    ] {
        let row = format!("| {what} | {most} |");
        assert!(text.contains(&row), "docs/accounts.md does not say: {row}");
    }
}
