//! Slow clients, by accident or to hold a place.

use std::time::Duration;

use dev::TestApp;
use kernel::Code;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::{harness::Api, vault};

/// Sends `start` and then nothing. Returns the server's answer until it closed the connection.
async fn answer_to(url: &str, start: &str) -> String {
    let mut stream =
        TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).await.unwrap();
    stream.write_all(start.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_string(&mut answer));
    let _ = read.await.unwrap_or_else(|_| panic!("the connection is still open a minute after {start:?}"));
    answer
}

#[tokio::test]
async fn a_connection_that_does_not_finish_its_headers_is_closed() {
    let api = Api::alone(&[]).await;
    // The third one could still become the preface of HTTP/2.
    let starts = ["", "GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ", "PRI * HT", "GET "];
    futures::future::join_all(starts.map(|start| answer_to(&api.url, start))).await;
    assert_eq!(api.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_a_problem() {
    let app = TestApp::start().await.unwrap();
    let head = format!(
        "POST /v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: \
        application/json\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{{",
        app.key()
    );
    let answer = answer_to(app.url().as_str(), &head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains(Code::RequestTimeout.as_str()), "{answer}");
    let problem = answer.split("\r\n\r\n").nth(1).unwrap();
    testkit::met_codes::note("POST", "/v1/agents", problem.as_bytes());
}

/// A client that asks for much and reads none of it costs memory, so the connection is closed.
#[tokio::test]
async fn an_answer_that_is_not_read_is_given_up() {
    let app = vault::app().await;
    let seal = serde_json::json!({"kind": "k", "verdict": "SEAL", "payload": "x".repeat(48_000)});
    for _ in 0..16 {
        let batch = app
            .post("/v1/vault/seals/batch")
            .key(app.key())
            .json(&serde_json::json!({"seals": vec![&seal; 16]}));
        batch.send().await.unwrap().expect::<serde_json::Value>(201).unwrap();
    }
    let log = kernel::ids::LogId::from(app.project());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let address =
        app.url().socket_addrs(|| None).unwrap().into_iter().find(|address| address.is_ipv4()).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!("GET /v1/vault/logs/{log}/tile/entries/000 HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    tokio::time::sleep(Duration::from_secs(35)).await;
    // The part that the kernel had taken is still read. Then the answer ends, long before its
    // length.
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(
        ended.expect("the connection was closed").is_err() || rest.len() < 256 * 48_000,
        "{}",
        rest.len()
    );
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let api = Api::alone(&[]).await;
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(200 << 10));
    let answer = answer_to(&api.url, &head).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}
