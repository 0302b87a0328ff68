//! The pages as a browser gets them.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

async fn ask(path: &str, tag: Option<&str>) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::get(path);
    if let Some(tag) = tag {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let response = routes::<()>("{}".to_owned()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

/// Returns the addresses in a page's `src` and `href` that are assets.
fn assets_of(page: &str) -> Vec<String> {
    let quoted = page.split('"').skip(1).step_by(2);
    quoted.filter(|text| text.starts_with("/docs/assets/")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_page_is_asked_for_each_time_and_sent_when_it_changed() {
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/problems", "text/html; charset=utf-8"),
        ("/openapi.json", "application/json"),
    ] {
        let (status, headers, body) = ask(path, None).await;
        assert!(status == StatusCode::OK && !body.is_empty(), "{path}");
        assert_eq!(headers[header::CONTENT_TYPE], kind);
        assert_eq!(headers[header::CACHE_CONTROL], "public, no-cache");
        let tag = headers[header::ETAG].to_str().unwrap();
        let (status, headers, body) = ask(path, Some(&format!("\"other\", W/{tag}"))).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(headers[header::ETAG], tag);
        assert_eq!(ask(path, Some("\"other\"")).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_a_page_loads_is_loaded_once() {
    let mut count = 0;
    for path in ["/docs", "/problems"] {
        for asset in assets_of(&ask(path, None).await.2) {
            let (status, headers, body) = ask(&asset, None).await;
            assert!(status == StatusCode::OK && !body.is_empty(), "{asset}");
            assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
            let kind = match asset.rsplit_once('.').unwrap().1 {
                "js" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                _ => "image/svg+xml",
            };
            assert_eq!(headers[header::CONTENT_TYPE], kind, "{asset}");
            count += 1;
        }
    }
    // Each file of the reference page, main.js twice, and three files of the other page.
    assert_eq!(count, MODULES.len() + 1 + FILES.len() + 3);
    assert_eq!(ask("/docs/assets/0000000000000000/main.js", None).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_page_knows_what_every_code_means() {
    let page = ask("/docs", None).await.2;
    let main = assets_of(&page).into_iter().find(|asset| asset.ends_with("/main.js")).unwrap();
    let (status, headers, body) = ask(&main.replace("main.js", "problems.json"), None).await;
    assert_eq!(
        (status, headers[header::CONTENT_TYPE].to_str().unwrap()),
        (StatusCode::OK, "application/json")
    );
    let titles: BTreeMap<String, String> = serde_json::from_str(&body).unwrap();
    assert!(Code::ALL.iter().all(|code| titles[code.as_str()] == code.title()));
}

#[tokio::test]
async fn the_pages_stand_under_a_policy_without_exceptions() {
    for path in ["/docs", "/problems", "/openapi.json"] {
        let (_, headers, page) = ask(path, None).await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("http") && !policy.contains("data:"),
            "{policy}"
        );
        for inline in ["<style", " style=", "<script>", " onload", " onclick", "javascript:", "{assets}"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
    }
}

#[test]
fn every_import_is_a_module_of_the_page() {
    for (name, text) in MODULES {
        for (_, rest) in text.match_indices("from \"").map(|(at, _)| text.split_at(at + 6)) {
            let imported = rest.split('"').next().unwrap().trim_start_matches("./");
            assert!(MODULES.iter().any(|(module, _)| *module == imported), "{name} imports {imported}");
        }
        for markup in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", ".style"] {
            assert!(!text.contains(markup), "{name}: {markup}");
        }
    }
}
