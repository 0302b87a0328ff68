//! Each way in which a request can be wrong before a handler sees it is a problem document (RFC
//! 9457) with a code of its own.

use dev::TestApp;
use kernel::Code;

use crate::harness::{Api, unknown_api_key};

#[tokio::test]
async fn a_path_that_does_not_exist() {
    let api = Api::ready(&[]).await;
    for path in ["/nowhere", "/v1/nowhere", "/api/v1/nowhere", "/v1", "/v1/agents/did:key:z6Mk/nowhere"] {
        let problem = api.get(path).await.problem(404, Code::NotFound);
        assert!(problem.get("errors").is_none(), "{problem}");
    }
}

#[tokio::test]
async fn a_path_answers_alike_with_and_without_a_trailing_slash() {
    let api = Api::ready(&[]).await;
    for path in ["/docs", "/health/live", "/v1/agents", "/api/v1/agents", "/v1/nowhere", "/openapi.json"] {
        let (without, with) = (api.get(path).await, api.get(&format!("{path}/")).await);
        assert_eq!((with.status, with.header("etag")), (without.status, without.header("etag")), "{path}");
        if with.status == 200 {
            assert_eq!(with.body, without.body, "{path}");
        } else {
            assert_eq!(with.json()["code"], without.json()["code"], "{path}");
        }
    }
}

#[tokio::test]
async fn a_method_that_the_path_does_not_have() {
    let api = Api::ready(&[]).await;
    let answer = api.send(api.http.delete(api.at("/v1/agents"))).await;
    answer.problem(405, Code::MethodNotAllowed);
    let allowed: Vec<&str> = answer.header("allow").split(',').collect();
    assert!(allowed.contains(&"GET") && allowed.contains(&"POST"), "{allowed:?}");

    let answer = api.send(api.http.post(api.at("/health"))).await;
    answer.problem(405, Code::MethodNotAllowed);
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_body_over_the_limit() {
    let app = TestApp::start().await.unwrap();
    let register = app.post("/v1/agents").key(app.key()).header("content-type", "application/json");
    let refused = register.body(vec![b' '; 10 << 20]).send().await.unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (413, Code::PayloadTooLarge.as_str()));
}

#[tokio::test]
async fn no_credentials() {
    let api = Api::ready(&[]).await;
    let answer = api.get("/v1/agents").await;
    answer.problem(401, Code::CredentialsMissing);
    assert_eq!(answer.header("www-authenticate"), "Bearer, Signature");
    assert!(answer.header("accept-signature").contains("\"@method\""));
    api.get("/v1/inbox").await.problem(401, Code::SignatureMissing);
    api.send(api.http.post(api.at("/v1/agents")).json(&1)).await.problem(401, Code::CredentialsMissing);
    api.send(api.http.post(api.at("/v1/intents")).json(&1)).await.problem(401, Code::SignatureMissing);
}

#[tokio::test]
async fn credentials_that_are_not_ours() {
    let api = Api::ready(&[]).await;
    for (authorization, code) in [
        ("Bearer", Code::CredentialsMalformed),
        ("Basic eDp5", Code::CredentialsMalformed),
        ("Bearer x", Code::ApiKeyInvalid),
        (&format!("Bearer {}", unknown_api_key()), Code::ApiKeyInvalid),
        ("Bearer x.y.z", Code::AccessTokenInvalid),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", Code::AccessTokenInvalid),
    ] {
        let request = api.http.get(api.at("/v1/agents")).header("authorization", authorization);
        let problem = api.send(request).await.problem(401, code);
        assert!(!problem.to_string().contains("hf_"), "{problem}");
    }
}

#[tokio::test]
async fn postgres_is_away() {
    let api = Api::alone(&[]).await;
    let request = || api.http.get(api.at("/v1/agents")).bearer_auth(unknown_api_key());
    for _ in 0..3 {
        let answer = api.send(request()).await;
        let problem = answer.problem(503, Code::Unavailable);
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
        let told = problem.to_string().to_lowercase();
        for leak in ["127.0.0.1", "refused", "unseen", "sqlx"] {
            assert!(!told.contains(leak), "{told}");
        }
    }
}

#[tokio::test]
async fn every_code_is_explained_where_its_type_leads() {
    let api = Api::alone(&[]).await;
    let page = api.get("/problems").await;
    assert_eq!(page.status, 200);
    for code in Code::ALL {
        assert!(page.body.contains(&format!("id=\"{}\"", code.as_str())), "{}", code.as_str());
        assert!(page.body.contains(code.title()));
    }
}
