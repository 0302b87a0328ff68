//! Hints from one process to another, by each way there is.

use adapters::{Adapters, Settings, health::Status};
use domain::{
    Clock, Ids,
    ports::{Topic, Wake},
};

use crate::support::{SOON, breakable, only_postgres, process, until, with_everything};

/// Whether a hint given by `from` reaches `to`. Repeats it, since a hint may be lost while the ways change.
async fn reaches(from: &Adapters, to: &Adapters) -> bool {
    let topic = Topic::Inbox(Ids::new(Clock::system()).next());
    let bell = to.wake.bell(topic);
    let hinting = async {
        loop {
            from.wake.wake(topic);
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = bell.notified() => true,
        () = hinting => false,
        () = tokio::time::sleep(SOON) => false,
    }
}

/// Deaf to `NOTIFY`, so that only NATS can have brought a hint.
fn deaf_to_postgres(settings: Settings) -> Settings {
    Settings { direct_database: "postgres://127.0.0.1:9/nobody".parse().unwrap(), ..settings }
}

async fn nats_is(adapters: &Adapters, status: Status) -> bool {
    adapters.health.snapshot().await.nats.status == status
}

#[tokio::test]
async fn hints_travel_by_notify_alone() {
    let database = dev::services::shared().await.unwrap().postgres.database().await.unwrap();
    let (from, to) = (process(only_postgres(&database), &database), process(only_postgres(&database), &database));
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
    until("NATS is up", async || nats_is(&from, Status::Ok).await && nats_is(&by_nats, Status::Ok).await).await;
    assert!(reaches(&from, &by_nats).await);

    nats.freeze().await.unwrap();
    assert!(reaches(&from, &by_either).await);
    nats.thaw().await.unwrap();
    until("NATS is back", async || nats_is(&from, Status::Ok).await).await;
    assert!(reaches(&from, &by_nats).await, "the subscription outlives a freeze");

    nats.kill().await.unwrap();
    assert!(reaches(&from, &by_either).await);
    nats.start().await.unwrap();
    until("NATS is back", async || nats_is(&from, Status::Ok).await && nats_is(&by_nats, Status::Ok).await).await;
    assert!(reaches(&from, &by_nats).await, "the subscription outlives a restart");

    services.postgres.stop().await.unwrap();
    services.postgres.start().await.unwrap();
    nats.kill().await.unwrap();
    assert!(reaches(&from, &by_either).await, "listening outlives a restart of Postgres");

    for adapters in [from, by_nats, by_either] {
        adapters.close().await;
    }
}
