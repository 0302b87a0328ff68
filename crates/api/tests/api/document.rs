//! `/openapi.json` and `/docs`: complete, sound, served by us.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{harness::Api, openapi};

#[test]
fn the_document_has_not_drifted() {
    insta::assert_snapshot!("openapi", api::document().to_pretty_json().unwrap());
}

#[tokio::test]
async fn it_is_what_the_server_serves() {
    let api = Api::alone(&[]).await;
    let answer = api.get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), openapi::document());
    assert!(answer.json()["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
}

fn map(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}

#[test]
fn every_operation_is_complete() {
    let document = openapi::resolved();
    let schemes = map(&document["components"]["securitySchemes"]);
    let tags: HashSet<&str> =
        document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = HashSet::new();
    for (path, item) in map(&document["paths"]) {
        for (method, operation) in map(item) {
            let place = format!("{method} {path}");
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{place}: not the only one of its id"
            );
            assert!(
                operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
                "{place}: no summary"
            );
            assert!(
                operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(tag.as_str().unwrap())),
                "{place}: its tag"
            );
            for scheme in
                operation["security"].as_array().into_iter().flatten().flat_map(|one| map(one).keys())
            {
                assert!(schemes.contains_key(scheme), "{place}: {scheme}");
            }
            for placeholder in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                let declared = operation["parameters"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|one| one["name"] == placeholder && one["in"] == "path");
                assert!(declared, "{place}: {placeholder}");
            }
            responses(&place, map(&operation["responses"]));
        }
    }
    assert!(ids.len() >= 15, "{ids:?}");
}

fn responses(place: &str, responses: &Map<String, Value>) {
    assert!(responses.keys().any(|status| status.starts_with('2')), "{place}: never succeeds");
    // Nothing turns a probe away.
    let turned_away = responses.contains_key("503") || place.contains(" /health");
    assert!(responses.contains_key("500") && turned_away, "{place}: never fails");
    for (status, response) in responses {
        assert!(
            response["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{place} {status}: no description"
        );
        assert!(response["headers"]["X-Request-Id"].is_object(), "{place} {status}: no X-Request-Id");
        if status.starts_with('4') || status == "500" {
            assert!(
                response["content"]["application/problem+json"].is_object(),
                "{place} {status}: no problem"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn look(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
                    assert!(target.is_some(), "{reference}");
                }
                fields.values().for_each(|field| look(field, document));
            }
            Value::Array(items) => items.iter().for_each(|item| look(item, document)),
            _ => {}
        }
    }
    let document = openapi::document();
    look(&document, &document);
}

#[tokio::test]
async fn the_page_loads_nothing_from_anybody_else() {
    let api = Api::alone(&[]).await;
    let page = api.get("/docs").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    assert!(!page.body.contains("http"), "{}", page.body);
    let assets: Vec<&str> = page.body.split('"').filter(|text| text.starts_with("/docs/assets/")).collect();
    assert!(assets.len() > 3, "{}", page.body);
    for path in assets {
        let asset = api.get(path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert!(asset.header("cache-control").contains("immutable"), "{path}");
        // The namespace of SVG is a name, which nobody fetches.
        let text = asset.body.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http:") && !text.contains("https:"), "{path}");
    }
    assert_eq!(api.get("/").await.header("location"), "/docs");
}
