//! Hints from one process to another, by each way there is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use adapters::{Adapters, Settings, health::Status};
use kernel::{
    Clock, Ids,
    ports::{Topic, Wake},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::{SOON, breakable, only_postgres, process, until, with_everything};

/// Returns whether a hint given by `from` reaches `to`. Repeats it, since a hint may be lost while
/// the ways change.
async fn reaches(from: &Adapters, to: &Adapters) -> bool {
    let topic = Topic::Inbox(Ids::new(Clock::system()).next());
    let bell = to.wake.subscribe(topic);
    let hinting = async {
        loop {
            from.wake.notify(topic);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = bell.notified() => true,
        () = hinting => false,
        () = tokio::time::sleep(SOON) => false,
    }
}

/// Returns settings that are deaf to `NOTIFY`, so that only NATS can have brought a hint.
fn deaf_to_postgres(settings: Settings) -> Settings {
    Settings { direct_database: "postgres://127.0.0.1:9/nobody".parse().unwrap(), ..settings }
}

async fn nats_is(adapters: &Adapters, status: Status) -> bool {
    adapters.health.snapshot().await.nats.status == status
}

#[tokio::test]
async fn hints_travel_by_notify_alone() {
    let database = testkit::services::shared().await.unwrap().postgres.database().await.unwrap();
    let (from, to) =
        (process(only_postgres(&database), &database), process(only_postgres(&database), &database));
    assert!(reaches(&from, &to).await && reaches(&to, &from).await);
    from.close().await;
    to.close().await;
}

#[tokio::test]
async fn hints_travel_by_nats_and_by_notify_while_nats_is_away() {
    let (services, database) = breakable().await;
    let nats = services.nats().unwrap();
    let from = process(with_everything(&services, &database), &database);
    let by_nats = process(deaf_to_postgres(with_everything(&services, &database)), &database);
    let by_either = process(with_everything(&services, &database), &database);
    until("NATS is up", async || nats_is(&from, Status::Ok).await && nats_is(&by_nats, Status::Ok).await)
        .await;
    assert!(reaches(&from, &by_nats).await);

    nats.freeze().await.unwrap();
    assert!(reaches(&from, &by_either).await);
    nats.thaw().await.unwrap();
    until("NATS is back", async || nats_is(&from, Status::Ok).await).await;
    assert!(reaches(&from, &by_nats).await, "the subscription outlives a freeze");

    nats.kill().await.unwrap();
    assert!(reaches(&from, &by_either).await);
    nats.start().await.unwrap();
    until("NATS is back", async || nats_is(&from, Status::Ok).await && nats_is(&by_nats, Status::Ok).await)
        .await;
    assert!(reaches(&from, &by_nats).await, "the subscription outlives a restart");

    services.postgres.stop().await.unwrap();
    services.postgres.start().await.unwrap();
    nats.kill().await.unwrap();
    assert!(reaches(&from, &by_either).await, "listening outlives a restart of Postgres");

    for adapters in [from, by_nats, by_either] {
        adapters.close().await;
    }
}

/// Passes connections on to Postgres. The first goes silent when `silenced`, as behind a router
/// that has forgotten it: it stays open on both sides, and nothing comes through.
async fn forgetful_router(
    database: &testkit::TestDatabase,
    silenced: CancellationToken,
) -> (Settings, Arc<AtomicU32>) {
    let settings = only_postgres(database);
    let to = (settings.direct_database.get_host().to_owned(), settings.direct_database.get_port());
    let router = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = router.local_addr().unwrap().port();
    let accepted = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((mut ours, _)) = router.accept().await {
            let first = count.fetch_add(1, Ordering::SeqCst) == 0;
            let (to, silenced) = (to.clone(), silenced.clone());
            tokio::spawn(async move {
                let mut theirs = TcpStream::connect(to).await.unwrap();
                let passing = copy_bidirectional(&mut ours, &mut theirs);
                if !first {
                    let _ = passing.await;
                } else if silenced.run_until_cancelled(passing).await.is_none() {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    let direct_database = settings.direct_database.clone().host("127.0.0.1").port(port);
    (Settings { direct_database, ..settings }, accepted)
}

#[tokio::test]
async fn listening_outlives_a_connection_that_nothing_comes_through() {
    let database = testkit::services::shared().await.unwrap().postgres.database().await.unwrap();
    let silenced = CancellationToken::new();
    let (behind_router, accepted) = forgetful_router(&database, silenced.clone()).await;
    let (from, to) = (process(only_postgres(&database), &database), process(behind_router, &database));
    assert!(reaches(&from, &to).await);

    silenced.cancel();
    let another = async {
        while accepted.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(timeout(2 * SOON, another).await.is_ok(), "no other connection in {:?}", 2 * SOON);
    assert!(reaches(&from, &to).await);
    from.close().await;
    to.close().await;
}

/// Returns what a client that was given `userinfo` in its URL tells a server that asks for
/// authentication.
async fn told_to_nats(userinfo: &str) -> serde_json::Value {
    let database = testkit::services::shared().await.unwrap().postgres.database().await.unwrap();
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let url = format!("nats://{userinfo}@{address}").parse().unwrap();
    let adapters = process(Settings { nats_url: Some(url), ..only_postgres(&database) }, &database);

    let hello = async {
        let mut client = BufReader::new(server.accept().await.unwrap().0);
        let info = serde_json::json!({
            "server_id": "S", "server_name": "S", "host": "127.0.0.1", "port": address.port(),
            "version": "2.15.1", "auth_required": true, "go": "", "nonce": "", "proto": 1,
            "max_payload": 1_048_576, "client_id": 1, "client_ip": "",
            "connect_urls": [], "tls_required": false, "headers": true, "lame_duck_mode": false,
        });
        client.write_all(format!("INFO {info}\r\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        client.read_line(&mut line).await.unwrap();
        serde_json::from_str(line.strip_prefix("CONNECT ").unwrap()).unwrap()
    };
    let told = timeout(SOON, hello).await.unwrap();
    adapters.close().await;
    told
}

#[tokio::test]
async fn nats_is_told_who_connects_as_the_url_says() {
    let told = told_to_nats("us%40er:p%3Ass").await;
    assert_eq!((told["user"].as_str(), told["pass"].as_str()), (Some("us@er"), Some("p:ss")));
    let told = told_to_nats("a-token").await;
    assert_eq!((told["auth_token"].as_str(), told["user"].as_str()), (Some("a-token"), None));
}
