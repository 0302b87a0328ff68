//! Pushes to endpoints that behave, misbehave, and lie about their address.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use adapters::webhook::{WebhookKey, Webhooks};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::intents::{Push, PushRequest};
use ed25519_dalek::{Signature, VerifyingKey};
use kernel::effect::Effect;
use kernel::{Clock, Ids};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

fn ids() -> Ids {
    Ids::new(Clock::system())
}

fn request(endpoint: &str) -> PushRequest {
    PushRequest {
        delivery: ids().next(),
        at: Clock::system().now(),
        endpoint: endpoint.parse().unwrap(),
        body: r#"{"hello":"world"}"#.into(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}

async fn push(endpoint: &str) -> Effect {
    Webhooks::new(WebhookKey::generate(&ids()), true).unwrap().push(request(endpoint)).await
}

fn failed(outcome: Effect) -> String {
    match outcome {
        Err(failed) => failed.detail,
        Ok(()) => "delivered".to_owned(),
    }
}

/// Starts a small server: it reads a request's head, then does as `answer` says.
async fn server<F>(answer: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 8192];
            let _ = stream.read(&mut head).await;
            answer(stream).await;
        }
    });
    address
}

#[tokio::test]
async fn a_delivery_carries_headers_that_its_recipient_can_verify() {
    let endpoint = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&endpoint).await;
    let key = WebhookKey::generate(&ids());
    let request = request(&format!("{}/inbox?x=1", endpoint.uri()));
    let outcome = Webhooks::new(key.clone(), true).unwrap().push(request.clone()).await;
    assert_eq!(outcome, Ok(()));

    let received = endpoint.received_requests().await.unwrap().remove(0);
    let header = |name: &str| received.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(received.body, request.body);
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("webhook-id"), request.delivery.to_string());
    assert_eq!(header("webhook-timestamp"), request.at.timestamp().to_string());
    assert_eq!(header("traceparent"), request.traceparent.unwrap());
    assert!(header("user-agent").starts_with("Holdfast/"));

    let public = STANDARD.decode(key.public().strip_prefix("whpk_").unwrap()).unwrap();
    let verifier = VerifyingKey::from_bytes(&public.try_into().unwrap()).unwrap();
    let signature = STANDARD.decode(header("webhook-signature").strip_prefix("v1a,").unwrap()).unwrap();
    let mut signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).into_bytes();
    signed.extend_from_slice(&received.body);
    assert!(verifier.verify_strict(&signed, &Signature::from_slice(&signature).unwrap()).is_ok());
}

#[tokio::test]
async fn only_2xx_is_delivered_and_the_answer_is_not_repeated() {
    let endpoint = MockServer::start().await;
    for status in [400, 404, 410, 429, 500, 503] {
        endpoint.reset().await;
        let answer = ResponseTemplate::new(status).set_body_string("secret of the recipient");
        Mock::given(any()).respond_with(answer).mount(&endpoint).await;
        assert_eq!(failed(push(&endpoint.uri()).await), format!("the endpoint answered {status}"));
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nobody_goes_there() {
    let elsewhere = MockServer::start().await;
    let endpoint = MockServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        endpoint.reset().await;
        let answer = ResponseTemplate::new(status).insert_header("location", elsewhere.uri().as_str());
        Mock::given(any()).respond_with(answer).mount(&endpoint).await;
        let reason = failed(push(&endpoint.uri()).await);
        assert_eq!(reason, format!("the endpoint answered {status}: redirects are not followed"));
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn of_an_endless_answer_little_is_read() {
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    let endless = server(move |mut stream| {
        let written = Arc::clone(&counter);
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {
                written.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    assert_eq!(push(&format!("http://{endless}/")).await, Ok(()));
    assert!(written.load(Ordering::SeqCst) < 64 << 20, "what the sockets' buffers hold, and no more");
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_given_up() {
    let silent = server(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let reason = failed(push(&format!("http://{silent}/")).await);
    assert_eq!(reason, "the endpoint did not answer within 15 seconds");
}

#[tokio::test]
async fn nobody_there_is_told_without_an_address() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for endpoint in [format!("http://{closed}/"), "https://nobody.invalid/".to_owned()] {
        let reason = failed(push(&endpoint).await);
        assert!(reason.starts_with("no connection to the endpoint"), "{reason}");
    }
    let cut = server(|stream| async move { drop(stream) }).await;
    let reason = failed(push(&format!("http://{cut}/")).await);
    assert_eq!(reason, "the connection broke before the endpoint answered");
}

#[tokio::test]
async fn private_addresses_are_refused_before_anything_is_sent() {
    let endpoint = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&endpoint).await;
    let port = endpoint.address().port();
    let webhooks = Webhooks::new(WebhookKey::generate(&ids()), false).unwrap();
    // The URL standard reads the odd ones among them as 127.0.0.1 as well.
    let hosts = [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
    ];
    for host in hosts {
        let reason = failed(webhooks.push(request(&format!("http://{host}:{port}/"))).await);
        assert_eq!(reason, "the endpoint is not at an address of the public internet", "{host}");
    }
    let reason = failed(webhooks.push(request("file:///etc/passwd")).await);
    assert_eq!(reason, "the endpoint is neither http nor https");
    assert!(endpoint.received_requests().await.unwrap().is_empty());

    assert_eq!(push(&format!("http://localhost:{port}/")).await, Ok(()));
}
