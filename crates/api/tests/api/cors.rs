//! The pages that may call from a browser.

use reqwest::Method;

use crate::harness::{Answer, Api};

async fn preflight(api: &Api, origin: &str) -> Answer {
    let request = api.http.request(Method::OPTIONS, api.at("/v1/intents")).header("origin", origin);
    let asks = request
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,signature,signature-input,content-digest");
    api.send(asks).await
}

#[tokio::test]
async fn the_named_origins_may_and_others_may_not() {
    let api = Api::alone(&[("CORS_ORIGINS", "https://app.example.com,http://localhost:3000")]).await;
    for origin in ["https://app.example.com", "http://localhost:3000"] {
        let answer = preflight(&api, origin).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        for needed in ["signature-input", "idempotency-key", "if-match", "holdfast-project", "authorization"]
        {
            assert!(answer.header("access-control-allow-headers").contains(needed), "{needed}");
        }
        assert!(answer.header("vary").contains("origin"));
    }
    for origin in ["https://evil.example.com", "https://app.example.com.evil.net", "null"] {
        assert_eq!(preflight(&api, origin).await.header("access-control-allow-origin"), "", "{origin}");
    }
}

#[tokio::test]
async fn problems_can_be_read_by_the_page_too() {
    let api = Api::alone(&[("CORS_ORIGINS", "*")]).await;
    let answer =
        api.send(api.http.get(api.at("/nowhere")).header("origin", "https://anywhere.example")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let exposed: Vec<&str> =
        answer.header("access-control-expose-headers").split(',').map(str::trim).collect();
    for needed in [
        "etag",
        "idempotency-replayed",
        "link",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "x-request-id",
    ] {
        assert!(exposed.contains(&needed), "{needed} is not among {exposed:?}");
    }
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn without_cors_origins_no_page_may() {
    let api = Api::alone(&[]).await;
    assert_eq!(preflight(&api, "https://app.example.com").await.header("access-control-allow-origin"), "");
}
