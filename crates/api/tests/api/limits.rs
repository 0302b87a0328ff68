//! Rate limits: who is counted, and that nobody can be counted for another.

use dev::{AppOptions, TestApp};
use kernel::{Code, caller::Plan};

use crate::harness::{Answer, Api, unknown_api_key};

const FIVE: (&str, &str) = ("RATE_LIMIT_PER_MINUTE", "5");

#[tokio::test]
async fn an_anonymous_address_has_a_quota_and_is_told_of_it() {
    let api = Api::alone(&[FIVE]).await;
    for left in (0..5).rev() {
        let answer = api.get("/version").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=5;w=60");
        assert!(
            answer.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")),
            "{}",
            answer.header("ratelimit")
        );
    }
    let refused = api.get("/version").await;
    refused.problem(429, Code::RateLimited);
    assert!(refused.header("ratelimit").starts_with("\"default\";r=0;t="));
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
}

#[tokio::test]
async fn health_is_never_refused() {
    let api = Api::alone(&[FIVE]).await;
    for _ in 0..20 {
        let answer = api.get("/health/live").await;
        assert_eq!((answer.status, answer.header("ratelimit")), (200, ""));
    }
}

#[tokio::test]
async fn credentials_that_prove_nothing_do_not_escape_the_quota() {
    let api = Api::ready(&[FIVE]).await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers
            .push(api.send(api.http.get(api.at("/v1/agents")).bearer_auth(unknown_api_key())).await.status);
    }
    assert_eq!(answers, [401, 401, 401, 401, 401, 429]);

    let api = Api::alone(&[FIVE]).await;
    let mut answers = Vec::new();
    for number in 0..6 {
        answers.push(api.send(api.http.get(api.at("/version")).bearer_auth(number)).await.status);
    }
    assert_eq!(answers, [200, 200, 200, 200, 200, 429]);
}

/// Where no credentials are asked for, a request that brings some is still counted before its work.
#[tokio::test]
async fn credentials_that_nobody_asks_for_do_not_put_off_the_count() {
    let variables = vec![("RATE_LIMIT_PER_MINUTE", "5".to_owned())];
    let app = TestApp::start_with(AppOptions { variables, ..Default::default() }).await.unwrap();
    let path = format!("/v1/vault/logs/{}/checkpoint", kernel::ids::LogId::from(app.project()));
    for path in [path.clone(), format!("/api{path}")] {
        for _ in 0..3 {
            let _ = app.get(&path).key("junk").send().await.unwrap();
        }
    }
    // A request that looks into the database now does not come back.
    let mut held = app.core().db.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE vault_logs, vault_checkpoints IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let refused =
        tokio::time::timeout(std::time::Duration::from_secs(5), app.get(&path).key("junk").send()).await;
    assert_eq!(refused.expect("it was refused before the work").unwrap().status, 429);
    held.rollback().await.unwrap();
}

async fn forwarded(api: &Api, chain: &str) -> Answer {
    api.send(api.http.get(api.at("/version")).header("x-forwarded-for", chain)).await
}

#[tokio::test]
async fn without_trusted_proxies_a_forwarded_address_means_nothing() {
    let api = Api::alone(&[FIVE]).await;
    for number in 0..5 {
        assert_eq!(forwarded(&api, &format!("203.0.113.{number}")).await.status, 200);
    }
    forwarded(&api, "203.0.113.99").await.problem(429, Code::RateLimited);
}

#[tokio::test]
async fn behind_one_proxy_the_address_it_saw_counts_and_not_those_the_client_made_up() {
    let api = Api::alone(&[FIVE, ("TRUSTED_PROXY_DEPTH", "1")]).await;
    for number in 0..5 {
        assert_eq!(forwarded(&api, &format!("198.51.100.{number}, 203.0.113.1")).await.status, 200);
    }
    forwarded(&api, "198.51.100.77, 203.0.113.1").await.problem(429, Code::RateLimited);
    assert_eq!(
        forwarded(&api, "203.0.113.1, 203.0.113.2").await.status,
        200,
        "another client is not locked out"
    );
}

#[tokio::test]
async fn an_ipv6_client_is_its_network() {
    let api = Api::alone(&[FIVE, ("TRUSTED_PROXY_DEPTH", "1")]).await;
    for number in 0..5 {
        assert_eq!(forwarded(&api, &format!("2001:db8:1:2::{number}")).await.status, 200);
    }
    forwarded(&api, "2001:db8:1:2:ffff::9").await.problem(429, Code::RateLimited);
    assert_eq!(forwarded(&api, "2001:db8:1:3::1").await.status, 200);
}

/// A project's plan sets the quota of its keys, agents and people.
#[tokio::test]
async fn a_larger_plan_has_a_larger_quota() {
    for plan in Plan::ALL {
        let variables = vec![("RATE_LIMIT_PER_MINUTE", "5".to_owned())];
        let app =
            TestApp::start_with(AppOptions { variables, worker: false, ..Default::default() }).await.unwrap();
        sqlx::query("UPDATE projects SET plan = $1")
            .bind(plan.as_str())
            .execute(app.core().db.pool())
            .await
            .unwrap();
        let quota = plan.quota(5);
        for left in (0..quota).rev().take(20) {
            let reply = app.get("/v1/agents").key(app.key()).send().await.unwrap();
            assert_eq!(reply.header("ratelimit-policy"), format!("\"default\";q={quota};w=60"), "{plan:?}");
            assert!(
                reply.status == 200 && reply.header("ratelimit").starts_with("\"default\";r="),
                "{plan:?}, {left}"
            );
        }
        let after = app.get("/v1/agents").key(app.key()).send().await.unwrap();
        assert_eq!(after.status, if quota > 20 { 200 } else { 429 }, "{plan:?}");
    }
}
