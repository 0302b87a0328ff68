//! A caller that goes away while its transaction begins leaves nothing of itself on the connection.

use std::{
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use kernel::{DbScope, ids::ProjectId};
use testkit::services;
use uuid::Uuid;

#[tokio::test]
async fn a_begin_that_is_given_up_leaves_no_transaction_open() {
    let database = services::shared().await.unwrap().postgres.database().await.unwrap();
    let (db, watch) = (database.db(1).unwrap(), database.db(1).unwrap());
    let project = ProjectId::from(Uuid::from_u128(7));
    let mut given_up = 0;
    for polls in 0..40 {
        {
            let mut begin = pin!(db.begin(DbScope::Project(project)));
            let mut poll = || begin.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            let mut begun = false;
            for _ in 0..polls {
                begun = begun || poll();
                tokio::task::yield_now().await;
            }
            given_up += usize::from(!begun);
        }
        // The next caller is anonymous, and sees nothing of the one before.
        let mut tx = db.begin(DbScope::Credentials).await.unwrap();
        let sql = "SELECT nullif(current_setting('app.project_id', true), '')";
        let left: Option<String> = sqlx::query_scalar(sql).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(left, None, "after {polls} polls");
        tx.commit().await.unwrap();
        // Until the connection is back.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(given_up > 1, "every transaction began: this shows nothing");
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    let open: i64 = sqlx::query_scalar(sql).fetch_one(watch.pool()).await.unwrap();
    assert_eq!(open, 0);
}
