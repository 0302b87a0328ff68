//! The walk: the promises of the document about each operation, checked on a running server. An
//! operation that is added later is walked as well, and one that breaks a promise fails here.

mod operation;
mod world;

use kernel::caller::{Permission, Permissions, Role};
use operation::Operation;
use reqwest::Method;
use serde_json::json;
pub use world::HASH;
use world::World;

const JSON: &str = "application/json";

#[tokio::test]
async fn a_sound_request_is_done_and_answered_as_documented() {
    let world = World::start().await;
    for operation in Operation::all() {
        let draft = world.draft(&operation).await;
        let reply = world.request(&operation, &draft, &world.us).send().await.unwrap();
        operation.check(&reply);
        let what = format!("{}: {} {}", operation.name(), reply.status, reply.json());
        // Operations for strangers take something that was mailed or typed, and a passkey takes a
        // browser: their own tests have them.
        let elsewhere =
            !operation.is_secured() && operation.has_body() || operation.path == "/v1/me/passkeys/finish";
        assert!((200..300).contains(&reply.status) || elsewhere, "{what}");
    }
}

#[tokio::test]
async fn without_credentials_nothing_that_takes_them_is_done() {
    let world = World::start().await;
    for operation in Operation::all().into_iter().filter(Operation::is_secured) {
        let draft = world.draft(&operation).await;
        let reply = world.anonymous(&operation, &draft).send().await.unwrap();
        operation.check(&reply);
        let code = reply.code();
        assert_eq!(reply.status, 401, "{}: {}", operation.name(), reply.json());
        assert!(code == "credentials_missing" || code == "signature_missing", "{}: {code}", operation.name());
        // Credentials that prove nothing do not count.
        for credentials in ["Basic YTpi", "Bearer x", "Bearer a.b.c", "Bearer"] {
            let reply = world
                .anonymous(&operation, &draft)
                .header("authorization", credentials)
                .send()
                .await
                .unwrap();
            operation.check(&reply);
            assert_eq!(reply.status, 401, "{}: {credentials}: {}", operation.name(), reply.json());
        }
    }
}

#[tokio::test]
async fn who_lacks_the_documented_permission_is_told_which() {
    let world = World::start().await;
    let mut refused = 0;
    for operation in Operation::all() {
        let draft = world.draft(&operation).await;
        let mut lacking = Vec::new();
        if let Some(scope) = operation.scope("api_key") {
            let missing: Permission = scope.parse().unwrap();
            let others: Vec<&str> =
                Permissions::scopes().iter().filter(|one| *one != missing).map(Permission::as_str).collect();
            lacking.push(("api_key", world.company.key(&others).await.1, scope));
        }
        if let Some(scope) = operation.scope("access_token") {
            let missing: Permission = scope.parse().unwrap();
            let role = Role::ALL.into_iter().rev().find(|role| !Permissions::of_role(*role).allow(missing));
            if let Some(role) = role {
                lacking.push(("access_token", world.company.member(role).await.token, scope));
            }
        }
        for (scheme, credential, scope) in lacking {
            let reply = world.request_with(&operation, &draft, scheme, &credential).send().await.unwrap();
            operation.check(&reply);
            let what = format!("{}: {}", operation.name(), reply.json());
            assert_eq!((reply.status, reply.code().as_str()), (403, "permission_missing"), "{what}");
            assert!(reply.json()["detail"].as_str().unwrap().contains(&format!("`{scope}`")), "{what}");
            refused += 1;
        }
    }
    assert!(refused > 20, "only {refused}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_its_documented_code() {
    let world = World::start().await;
    let (large, larger) =
        (format!("\"{}\"", "x".repeat(1024 * 1024)), format!("\"{}\"", "x".repeat(8 * 1024 * 1024)));
    for operation in Operation::all().into_iter().filter(Operation::has_body) {
        let draft = world.draft(&operation).await;
        for (kind, body, status, code) in [
            (JSON, "{", 400, "malformed_json"),
            (JSON, "", 400, "malformed_json"),
            (JSON, r#"{"no_such_field": 1}"#, 422, "unknown_field"),
            (JSON, "[]", 422, "wrong_type"),
            (JSON, "null", 422, "wrong_type"),
            ("text/plain", "{}", 415, "unsupported_media_type"),
            (
                JSON,
                if operation.path.ends_with("/batch") { &larger } else { &large },
                413,
                "payload_too_large",
            ),
        ] {
            let broken = draft.with_body(kind, body);
            let reply = world.request(&operation, &broken, &world.us).send().await.unwrap();
            operation.check(&reply);
            let excerpt: String = body.chars().take(30).collect();
            let what = format!("{} {excerpt}: {}", operation.name(), reply.json());
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{what}");
        }
        // A NUL byte, which Postgres cannot hold, in each text of a sound body.
        let sound: serde_json::Value = serde_json::from_slice(draft.body.as_ref().unwrap()).unwrap();
        for (field, _) in sound.as_object().unwrap().iter().filter(|(_, value)| value.is_string()) {
            let mut broken = sound.clone();
            broken[field] = json!("nul \0 nul");
            let broken = draft.with_body(JSON, broken.to_string());
            let reply = world.request(&operation, &broken, &world.us).send().await.unwrap();
            operation.check(&reply);
            assert!((400..500).contains(&reply.status), "{} {field}: {}", operation.name(), reply.json());
        }
    }
}

#[tokio::test]
async fn queries_and_pages_are_bounded() {
    let world = World::start().await;
    for (name, role) in [("one", Role::Developer), ("two", Role::Admin)] {
        world.company.member(role).await;
        world.company.key(&["agents:read"]).await;
        world.company.app.agent(name).await.unwrap();
        let draft = json!({ "name": name });
        for path in ["/v1/organizations".to_owned(), world.company.path("/projects")] {
            world
                .company
                .owner
                .post(&path)
                .json(&draft)
                .send()
                .await
                .unwrap()
                .expect::<serde_json::Value>(201)
                .unwrap();
        }
    }
    let mut followed = Vec::new();
    for operation in Operation::all() {
        if !operation.parameters().any(|one| one["in"] == "query") {
            continue;
        }
        let draft = world.draft(&operation).await;
        let ask = async |query: &str| {
            let asked = draft.at(format!("{}?{query}", draft.path));
            let reply = world.request(&operation, &asked, &world.us).send().await.unwrap();
            operation.check(&reply);
            reply
        };
        assert_eq!(ask("no_such_parameter=1").await.code(), "unknown_field", "{}", operation.name());
        for parameter in operation.parameters().filter(|one| one["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let reply = ask(&format!("{name}=%00")).await;
            assert_eq!(reply.status, 422, "{} {name}: {}", operation.name(), reply.json());
        }
        if !operation.takes("cursor") {
            continue;
        }
        for (query, code) in [
            ("limit=0", "out_of_range"),
            ("limit=201", "out_of_range"),
            ("limit=-1", "wrong_type"),
            ("limit=many", "wrong_type"),
            ("cursor=", "invalid_cursor"),
            ("cursor=AAAA", "invalid_cursor"),
        ] {
            assert_eq!(ask(query).await.code(), code, "{} {query}", operation.name());
        }
        assert_eq!(ask("limit=200").await.status, 200, "{}", operation.name());
        let first = ask("limit=1").await;
        let page = first.json();
        assert!(page["data"].as_array().is_some_and(|data| data.len() <= 1), "{}: {page}", operation.name());
        if let Some(cursor) = page["next_cursor"].as_str() {
            let link = format!("<{}?cursor={cursor}&limit=1>; rel=\"next\"", draft.path);
            assert_eq!(first.header("link"), link, "{}", operation.name());
            let second = ask(&format!("cursor={cursor}&limit=1")).await.json();
            assert_ne!(second["data"], page["data"], "{}", operation.name());
            followed.push(operation.name());
        } else {
            assert_eq!(first.header("link"), "", "{}", operation.name());
        }
    }
    assert!(followed.len() >= 6, "a next page was followed only of {followed:?}");
}

#[tokio::test]
async fn what_creates_takes_an_idempotency_key_and_heeds_it() {
    let world = World::start().await;
    let mut walked = 0;
    for operation in Operation::all() {
        assert_eq!(operation.creates(), operation.takes("Idempotency-Key"), "{}", operation.name());
        if !operation.creates() {
            continue;
        }
        let draft = world.draft(&operation).await;
        let malformed = world.request(&operation, &draft, &world.us).header("idempotency-key", "two words");
        let malformed = malformed.send().await.unwrap();
        operation.check(&malformed);
        assert_eq!(
            (malformed.status, malformed.code().as_str()),
            (400, "malformed_request"),
            "{}",
            operation.name()
        );

        let request = world
            .request(&operation, &draft, &world.us)
            .header("idempotency-key", &operation.name().replace(' ', ":"));
        let first = request.clone().send().await.unwrap();
        let again = request.clone().send().await.unwrap();
        operation.check(&again);
        let what = format!("{}: {}", operation.name(), again.json());
        assert!(first.status == 201 || first.status == 202, "{what}");
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{what}");
        for header in ["location", "etag", "content-type"] {
            assert_eq!(again.header(header), first.header(header), "{what}");
        }
        assert_eq!(
            (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
            ("", "true"),
            "{what}"
        );
        walked += 1;
    }
    assert!(walked >= 5, "only {walked}");
}

#[tokio::test]
async fn what_edits_takes_the_version_it_was_made_from() {
    let world = World::start().await;
    for operation in Operation::all() {
        assert_eq!(operation.method == Method::PATCH, operation.takes("If-Match"), "{}", operation.name());
        if operation.method != Method::PATCH {
            continue;
        }
        let draft = world.draft(&operation).await;
        let request = world.request(&operation, &draft, &world.us);
        for (without, status, code) in [
            (request.clone().without("if-match"), 428, "precondition_required"),
            (request.clone().header("if-match", "\"v999\""), 412, "version_mismatch"),
            (request.clone().header("if-match", "W/\"v1\""), 412, "version_mismatch"),
        ] {
            let reply = without.send().await.unwrap();
            operation.check(&reply);
            assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", operation.name());
        }
        let get =
            Operation::all().into_iter().find(|one| one.method == Method::GET && one.path == operation.path);
        let shown = world.request(&get.unwrap(), &draft.without_body(), &world.us).send().await.unwrap();
        let tag = shown.header("etag");
        assert!(tag.starts_with("\"v"), "{}: a GET of it has no ETag: {}", operation.name(), shown.json());
        let changed = request.clone().header("if-match", tag).send().await.unwrap();
        assert!(
            changed.status == 200 && changed.header("etag") != tag,
            "{}: {}",
            operation.name(),
            changed.json()
        );
        let late = request.header("if-match", tag).send().await.unwrap();
        assert_eq!(late.status, 412, "{}: it was changed since", operation.name());
    }
}

#[tokio::test]
async fn what_is_unknown_and_what_is_somebody_elses_look_the_same() {
    let world = World::start().await;
    for operation in Operation::all().into_iter().filter(Operation::is_secured) {
        let draft = world.draft(&operation).await;
        let mut replies = Vec::new();
        for placeholder in operation.placeholders() {
            let position =
                operation.path.split('/').position(|part| part == format!("{{{placeholder}}}")).unwrap();
            for unknown in [world.unknown(placeholder), "%00".to_owned(), "x%27%20OR%201=1--".to_owned()] {
                let parts = draft.path.split('/').enumerate();
                let path: Vec<&str> =
                    parts.map(|(at, part)| if at == position { unknown.as_str() } else { part }).collect();
                replies.push(
                    world.request(&operation, &draft.at(path.join("/")), &world.us).send().await.unwrap(),
                );
            }
        }
        if !operation.placeholders().is_empty() {
            replies.push(world.request(&operation, &draft, &world.them).send().await.unwrap());
        }
        for reply in replies {
            operation.check(&reply);
            let what = format!("{}: {}", operation.name(), reply.json());
            assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{what}");
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_is_refused_with_those_that_are() {
    let world = World::start().await;
    for operation in Operation::all() {
        let draft = world.draft(&operation).await;
        let reply = world.company.app.client().request(Method::TRACE, &draft.path).send().await.unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (405, "method_not_allowed"),
            "{}",
            operation.name()
        );
        assert!(
            reply.header("allow").contains(operation.method.as_str()),
            "{}: {}",
            operation.name(),
            reply.header("allow")
        );
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
}
