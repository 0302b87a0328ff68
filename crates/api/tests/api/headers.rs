//! The headers of every answer, whatever the route.

use crate::harness::Api;

#[tokio::test]
async fn a_sound_request_id_comes_back_and_another_is_replaced() {
    let api = Api::alone(&[]).await;
    let asked = async |id: &str| {
        api.send(api.http.get(api.at("/version")).header("x-request-id", id))
            .await
            .header("x-request-id")
            .to_owned()
    };
    assert_eq!(asked("order-7:attempt.2").await, "order-7:attempt.2");
    for unfit in ["short", "with space in it", "a\"quoted\"one", &"x".repeat(129), "{\"json\":\"injected\"}"]
    {
        let given = asked(unfit).await;
        assert_ne!(given, unfit);
        assert_eq!(given.len(), 32, "{given}");
    }
}

#[tokio::test]
async fn nothing_is_kept_by_caches_but_what_is_public() {
    let api = Api::alone(&[]).await;
    for path in ["/health", "/version", "/v1/agents", "/nowhere", "/"] {
        assert_eq!(api.get(path).await.header("cache-control"), "no-store", "{path}");
    }
    for path in ["/docs", "/openapi.json", "/problems"] {
        assert!(api.get(path).await.header("cache-control").starts_with("public"), "{path}");
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let api = Api::alone(&[]).await;
    let answer = api.send(api.http.head(api.at("/health/live"))).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}
