//! Witnesses that break the rules, and lists of witnesses. Those that follow the rules are in
//! `tests/adapters/witnesses.rs`.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{
    crypto::PublicKey,
    effect::{Effect, Failed},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, method, path},
};

use vault::{Hash, Witness, WitnessAnswer, format::cosignature::WitnessKey};

use super::{
    HttpWitness, Witnesses,
    client::{LIMIT, MAX_ANSWER, MAX_PROOF, body},
};

/// The curve's base point and its negative: any two keys.
const KEYS: [[u8; 32]; 2] = {
    let mut base = [0x66; 32];
    base[0] = 0x58;
    let mut negative = base;
    negative[31] |= 0x80;
    [base, negative]
};

fn key(name: &str, key: [u8; 32]) -> WitnessKey {
    WitnessKey::new(name, PublicKey::from_bytes(&key).unwrap()).unwrap()
}

fn client(url: &str, limit: Duration) -> HttpWitness {
    let endpoint = format!("{} {url}", key("witness.example/w1", KEYS[0])).parse().unwrap();
    HttpWitness::within(endpoint, limit).unwrap()
}

/// Returns the outcome of an answer, to a request that began at the size 7.
async fn answered(answer: ResponseTemplate) -> Effect<WitnessAnswer> {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/add-checkpoint")).respond_with(answer).mount(&server).await;
    client(&server.uri(), LIMIT).add_checkpoint(7, &[], "a\n\n— b c\n").await
}

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code).set_body_string("<script>")
}

fn states(size: &str) -> ResponseTemplate {
    ResponseTemplate::new(409).set_body_raw(size, "text/x.tlog.size")
}

#[tokio::test]
async fn what_is_posted_is_what_the_specification_shows() {
    let server = MockServer::start().await;
    // The example of tlog-witness, cut to two hashes.
    let checkpoint = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN\
        7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let proof =
        ["PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0="];
    let wanted = format!("old 20852014\n{}\n{}\n\n{checkpoint}", proof[0], proof[1]);
    let lines = "— witness.example/w1 CMp+6LWBU0anHGH5\n— witness.example/w1 I7rEps0pvK2UqkS2\n";
    Mock::given(method("POST"))
        .and(path("/prefix/add-checkpoint"))
        .and(body_string(wanted))
        .respond_with(ResponseTemplate::new(200).set_body_string(lines))
        .expect(1)
        .mount(&server)
        .await;
    let proof = proof.map(|hash| Hash(STANDARD.decode(hash).unwrap().try_into().unwrap()));
    let witness = client(&format!("{}/prefix/", server.uri()), LIMIT);
    let answer = witness.add_checkpoint(20_852_014, &proof, checkpoint).await;
    assert_eq!(answer, Ok(WitnessAnswer::Cosigned(lines.lines().map(str::to_owned).collect())));
    assert_eq!(body(0, &[], "x\n"), "old 0\n\nx\n");
    assert_eq!(witness.key().name(), "witness.example/w1");
}

#[tokio::test]
async fn an_answer_says_whether_to_prove_ask_or_wait() {
    for (size, known) in [("0\n", 0), ("12\n", 12), ("18446744073709551615\n", u64::MAX)] {
        assert_eq!(answered(states(size)).await, Ok(WitnessAnswer::Behind { size: known }));
    }
    let with_charset = ResponseTemplate::new(409).set_body_raw("12\n", "Text/X.tlog.size; charset=utf-8");
    assert_eq!(answered(with_charset).await, Ok(WitnessAnswer::Behind { size: 12 }));
    let forks = ["two histories", "backup"];
    for (answer, word) in [
        (states("7\n"), "two histories"),
        (status(409), "two histories"),
        (ResponseTemplate::new(409).set_body_raw("12\n", "text/plain"), "two histories"),
        (status(400), "(400)"),
        (status(403), "verifier keys"),
        (status(404), "does not know this log"),
        (status(418), "418"),
        (status(422), "backup"),
        (status(204), "204"),
        (status(307).insert_header("location", "/add-checkpoint"), "redirects are not followed"),
    ] {
        match answered(answer).await {
            Ok(WitnessAnswer::Refused(reason)) if !forks.contains(&word) => {
                assert!(reason.contains(word) && !reason.contains("script"), "{reason}");
            }
            Ok(WitnessAnswer::Forked(reason)) => {
                assert!(reason.contains(word) && forks.contains(&word), "{reason}")
            }
            other => panic!("{word}: {other:?}"),
        }
    }
    for code in [408, 425, 429, 500, 502, 503] {
        assert_eq!(answered(status(code)).await, Err(Failed::new(format!("it answered {code}"))));
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    let line = "— witness.example/w1 CMp+6LWBU0anHGH5\n";
    let good = |body: String| ResponseTemplate::new(200).set_body_string(body);
    let many = vec![line.trim_end().to_owned(); 100];
    assert_eq!(answered(good(line.repeat(100))).await, Ok(WitnessAnswer::Cosigned(many)));
    for answer in [
        states(""),
        states("12"),
        states("012\n"),
        states("+12\n"),
        states("-1\n"),
        states(" 12\n"),
        states("12\r\n"),
        states("18446744073709551616\n"),
        good(String::new()),
        good("\n".to_owned()),
        good("<html>\n".to_owned()),
        good(line.trim_end().to_owned()),
        good(format!("{line}\n")),
        good(format!("{line}- witness.example/w1 AAAA\n")),
        ResponseTemplate::new(200).set_body_bytes([0xff, 0xfe, b'\n']),
        good(line.repeat(2_000)),
        states(&"1".repeat(MAX_ANSWER + 1)),
    ] {
        let outcome = answered(answer).await;
        assert!(matches!(outcome, Ok(WitnessAnswer::Refused(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_proof_longer_than_any_is_not_sent() {
    let proof = [Hash([0; 32]); MAX_PROOF + 1];
    let outcome = client("http://127.0.0.1:9", LIMIT).add_checkpoint(7, &proof, "").await;
    assert!(matches!(outcome, Ok(WitnessAnswer::Refused(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_witness_that_hangs_or_is_not_there_is_away() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let hanging = client(&url, Duration::from_millis(200)).add_checkpoint(0, &[], "").await;
    assert_eq!(hanging, Err(Failed::new("it did not answer within 0.2 seconds".to_owned())));
    drop(silent);
    let absent = client(&url, LIMIT).add_checkpoint(0, &[], "").await;
    let reason = "no connection: its name, its port or its certificate did not work";
    assert_eq!(absent, Err(Failed::new(reason.to_owned())));

    // A witness that begins its answer and never ends it.
    let dawdler = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", dawdler.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = dawdler.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\xe2\x80\x94 ").await.unwrap();
        std::future::pending::<()>().await;
    });
    let outcome = client(&url, Duration::from_millis(200)).add_checkpoint(0, &[], "").await;
    assert_eq!(outcome, Err(Failed::new("it did not answer within 0.2 seconds".to_owned())));
}

#[test]
fn a_list_reads_as_it_is_written() {
    assert_eq!("".parse(), Ok(Witnesses::default()));
    assert_eq!(Witnesses::default().to_string(), "");
    let (first, second) = (key("w1", KEYS[0]), key("w2", KEYS[1]));
    let witnesses: Witnesses =
        format!(" {first}  https://w1.example/x/ ,\n{second} http://[::1]:8080,").parse().unwrap();
    assert_eq!(witnesses.to_string(), format!("{first} https://w1.example/x,{second} http://[::1]:8080"));
    assert_eq!(witnesses.to_string().parse(), Ok(witnesses.clone()));
    let names: Vec<_> =
        witnesses.clients().unwrap().iter().map(|client| client.key().name().to_owned()).collect();
    assert_eq!(names, ["w1", "w2"]);
}

#[test]
fn a_wrong_entry_is_named_and_not_shown() {
    let (first, second) = (key("w1", KEYS[0]), key("w2", KEYS[1]));
    for (entry, word) in [
        (format!("{second}"), "something other than"),
        (format!("{second} https://a.example b"), "something other than"),
        (format!("{second} a.example"), "plain https://"),
        (format!("{second} ftp://a.example"), "plain https://"),
        (format!("{second} https://u:hunter2@a.example"), "plain https://"),
        (format!("{second} https://a.example/?hunter2"), "plain https://"),
        (format!("{second} https://a.example/#x"), "plain https://"),
        (format!("{second} http://a.example"), "not on a private network"),
        (format!("{second} http://8.8.8.8"), "not on a private network"),
        (format!("{} https://a.example", key("w3", KEYS[0])), "that is there before"),
        (format!("{first}A https://a.example"), "is not a verifier key"),
        (format!("{} https://a.example", second.to_string().replace("w2", "w4")), "has an id"),
    ] {
        let reason =
            format!("{first} http://10.0.0.1:80/,{entry}").parse::<Witnesses>().unwrap_err().to_string();
        assert!(reason.starts_with("held as number 2 ") && reason.contains(word), "{reason}");
        assert!(!reason.contains("hunter2") && !reason.contains('\n'), "{reason}");
    }
}
