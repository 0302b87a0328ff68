//! `/vault/{log}`: a page that checks a receipt in the browser. `verify.js` has the checks; the
//! page asks the server only for the log's keys and newest checkpoint.
//!
//! The page is the same for every log, which it reads from its own address. No part of a request is
//! written into it.

use axum::{
    Router,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use kernel::{crypto::sha256, ids::LogId};

use crate::{extract::Path, state::AppState};

const PAGE: &str = include_str!("page.html");
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// The files that the page loads, by name.
const ASSETS: [(&str, &str, &str); 3] = [
    ("page.js", JAVASCRIPT, include_str!("page.js")),
    ("verify.js", JAVASCRIPT, include_str!("verify.js")),
    ("page.css", "text/css; charset=utf-8", include_str!("page.css")),
];

/// The policy of the page: scripts and styles of this origin only, and no form that is sent, so a
/// receipt stays where it was pasted. Where browsers know trusted types, a text cannot become
/// markup, whatever a script does.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri \
    'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types \
    'none'";

/// Returns the routes of the page and its assets.
pub fn router() -> Router<AppState> {
    routes()
}

/// Returns the routes for any state, since none of them reads it.
fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let version = version();
    let assets = format!("/vault/assets/{version}");
    let page = Bytes::from(PAGE.replace("{assets}", &assets));
    let tag = format!("\"{version}\"");
    let mut router = Router::new().route(
        "/vault/{log}",
        get(move |_: Path<LogId>, headers: HeaderMap| async move { answer(&headers, page, tag) }),
    );
    for (name, kind, text) in ASSETS {
        // The address changes with the content.
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
        ];
        router = router.route(&format!("{assets}/{name}"), get(move || async move { (headers, text) }));
    }
    router
}

/// Returns a name for this build's page and assets, by their content.
fn version() -> String {
    let mut all = PAGE.to_owned();
    for (name, _, text) in ASSETS {
        all.push_str(name);
        all.push_str(text);
    }
    sha256(all.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Serves the page, which clients ask for each time, so that it never names assets of an earlier
/// build.
///
/// The page learns whether the log exists when it asks for its checkpoint.
fn answer(asked: &HeaderMap, page: Bytes, tag: String) -> Response {
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known =
        known.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag);
    let headers: [(HeaderName, String); 3] = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "public, no-cache".to_owned()),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    const LOG: &str = "/vault/log_019aa3c0f2d47e0fb1c2d3e4f5061728";

    async fn ask(path: &str, tag: Option<&str>) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::get(path);
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let response = routes::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_page_is_asked_for_each_time_and_its_assets_once() {
        let (status, headers, page) = ask(LOG, None).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(headers[header::CACHE_CONTROL], "public, no-cache");
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], POLICY);
        assert!(
            !page.contains("{assets}")
                && !page.contains("http")
                && !page.contains("<style")
                && !page.contains("style=")
        );
        let tag = headers[header::ETAG].to_str().unwrap();
        let (status, headers, body) = ask(LOG, Some(&format!("\"other\", W/{tag}"))).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(headers[header::ETAG], tag);

        let mut rest = page.as_str();
        let mut found = Vec::new();
        while let Some((_, after)) = rest.split_once("=\"/vault/assets/") {
            let (asset, after) = after.split_once('"').unwrap();
            found.push(format!("/vault/assets/{asset}"));
            rest = after;
        }
        assert_eq!(found.len(), 3, "{found:?}");
        for asset in found {
            let (status, headers, body) = ask(&asset, None).await;
            assert!(status == StatusCode::OK && !body.is_empty(), "{asset}");
            assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
            let kind = if asset.ends_with("css") { "text/css; charset=utf-8" } else { JAVASCRIPT };
            assert_eq!(headers[header::CONTENT_TYPE], kind);
        }
        assert_eq!(ask("/vault/assets/0000000000000000/page.js", None).await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn only_a_logs_id_has_a_page() {
        for other in ["/vault/assets", "/vault/log_1", "/vault/prj_019aa3c0f2d47e0fb1c2d3e4f5061728"] {
            assert_eq!(ask(other, None).await.0, StatusCode::NOT_FOUND, "{other}");
        }
        assert_eq!(ask(&LOG.to_uppercase().replace("/VAULT", "/vault"), None).await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask(&format!("{LOG}0"), None).await.0, StatusCode::NOT_FOUND);
        assert_eq!(
            ask(&format!("/vault/log_{}", "0".repeat(32)), None).await.0,
            StatusCode::OK,
            "the meta-log"
        );
    }
}
