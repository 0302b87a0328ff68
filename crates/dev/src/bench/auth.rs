//! The cost of authentication: an authenticated `GET` of an agent against its `SELECT` by raw sqlx.

use anyhow::Result;
use kernel::{Clock, ids::ProjectId};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{
    drive::{Counted, RunOnce, drive},
    load::Load,
    product::{Product, median, peak_rss},
    report::{Case, Report},
};
use crate::app::register;
use testkit::{client::Client, sign::Identity, test_core};

const SECONDS: u64 = 5;
const ROUNDS: usize = 3;

pub(super) async fn run() -> Result<Report> {
    let product = Product::start().await?;
    let db = kernel::Db::lazy(product.database_url.parse()?, 2);
    let clock = Clock::system();
    let core = test_core(db);
    let (project, key) = domain::identity::bootstrap(&core, "bench", "development").await?;
    let agent = Identity::generate();
    let client = Client::new(format!("http://{}", product.address).parse()?, clock)?;
    register(&client, &key.reveal(), &agent, "bench", serde_json::json!({})).await?;

    let mut cases = Vec::new();
    for (connections, bar) in [(1, None), (16, None), (64, Some(0.5))] {
        let (did, url, path) =
            (agent.did().to_owned(), product.database_url.clone(), format!("/v1/agents/{}", agent.did()));
        let http = Load::Get {
            address: product.address,
            path,
            connections,
            seconds: SECONDS,
            key: Some(key.reveal()),
        };
        let select = |as_tenant| Load::Select {
            url: url.clone(),
            project,
            did: did.clone(),
            connections,
            seconds: SECONDS,
            as_tenant,
        };
        let (bare, tenants) = (select(false), select(true));
        let (mut ours, mut bares, mut as_tenants): (Vec<Counted>, Vec<Counted>, Vec<Counted>) =
            Default::default();
        let mut peak = 0.0_f64;
        for _ in 0..ROUNDS {
            bares.push(bare.in_own_process().await?);
            as_tenants.push(tenants.in_own_process().await?);
            let (counted, rss) = peak_rss(&product, http.in_own_process()).await?;
            ours.push(counted);
            peak = peak.max(rss);
        }
        let of = |counted: &[Counted], what: fn(&Counted) -> f64| median(counted.iter().map(what).collect());
        let rate = of(&ours, |counted| counted.rate);
        let case = |name: &str, baseline: &[Counted], bar| Case {
            p50_ms: Some(of(&ours, |counted| counted.p50_ms)),
            p99_ms: Some(of(&ours, |counted| counted.p99_ms)),
            rss_mib: Some(peak),
            ..Case::ratio(
                format!("GET of an agent ÷ {name}, {connections} connections"),
                rate,
                of(baseline, |counted| counted.rate),
                "req/s",
                bar,
            )
        };
        cases.push(case("the same SELECT", &bares, bar));
        cases.push(case("BEGIN as the tenant, SELECT, COMMIT", &as_tenants, None));
    }
    Ok(Report { name: "auth", cases })
}

/// Runs the statement of `domain::agents::Directory` for one agent.
pub(super) async fn by_sqlx(
    url: &str,
    project: ProjectId,
    did: &str,
    as_tenant: bool,
    connections: usize,
    seconds: u64,
) -> Result<Counted> {
    drive(connections, seconds, async |_| {
        let connection = PgConnection::connect(url).await?;
        Ok(Selecting { connection, project, did: did.to_owned(), as_tenant })
    })
    .await
}

struct Selecting {
    connection: PgConnection,
    project: ProjectId,
    did: String,
    as_tenant: bool,
}

impl RunOnce for Selecting {
    async fn run_once(&mut self) -> Result<()> {
        if !self.as_tenant {
            return select(&mut self.connection, self.project, &self.did).await;
        }
        let begin = format!(
            "BEGIN; SET LOCAL ROLE holdfast_app; SET LOCAL app.project_id = '{}'; SET LOCAL \
            statement_timeout = 10000",
            self.project.uuid()
        );
        let mut tx = self.connection.begin_with(AssertSqlSafe(begin)).await?;
        select(&mut tx, self.project, &self.did).await?;
        Ok(tx.commit().await?)
    }
}

async fn select(connection: &mut PgConnection, project: ProjectId, did: &str) -> Result<()> {
    sqlx::query(
        "SELECT id, did, public_key, name, capabilities, endpoint, version, created_at, updated_at \
         FROM agents WHERE project_id = $1 AND did = $2 AND deleted_at IS NULL",
    )
    .bind(project)
    .bind(did)
    .fetch_one(connection)
    .await?;
    Ok(())
}
