//! `/health`: for platforms, load balancers and people.

use adapters::health::{Check, Status};
use std::future;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{edge, state::AppState};

/// The routes of health.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(health))
}

/// That the process runs.
#[derive(Debug, Serialize, ToSchema)]
struct Live {
    /// `ok`.
    status: &'static str,
}

/// Whether requests can be served.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// What is missing.
    #[schema(required = true)]
    reason: Option<&'static str>,
}

/// How the process and everything it uses do.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`; `degraded` when an accelerator is away, which costs speed and nothing else; `unavailable` without Postgres.
    status: &'static str,
    /// Where it runs.
    environment: String,
    /// The version of the build.
    version: &'static str,
    /// The commit of the build, where it is known.
    #[schema(required = true)]
    commit: Option<&'static str>,
    /// Seconds since the process started.
    uptime_seconds: u64,
    /// Each dependency.
    checks: Checks,
}

/// Each dependency: `disabled` means that it is not configured.
#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    database: Check,
    redis: Check,
    nats: Check,
    qdrant: Check,
}

/// Is the process alive?
///
/// Always 200; touches nothing.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, description = "It is", body = Live)))]
async fn live() -> Json<Live> {
    Json(Live { status: "ok" })
}

/// The same answer for the route that passes no layer: what they would put on it is put together beforehand, but for the request's id.
pub fn live_at_once(state: &AppState) -> impl Fn() -> future::Ready<Response> + Clone + Send + 'static {
    let mut headers = edge::headers_of_every_answer();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let ids = state.core.ids.clone();
    move || {
        let mut response = Response::new(Body::from(r#"{"status":"ok"}"#));
        *response.headers_mut() = headers.clone();
        edge::name(&mut response, &ids.next::<Uuid>().simple().to_string());
        future::ready(response)
    }
}

/// Can requests be served?
///
/// Postgres answers, its schema is current, and the process was not asked to stop.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "health",
    responses((status = 200, description = "They can", body = Ready), (status = 503, description = "Not now", body = Ready))
)]
async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Ready>) {
    let snapshot = state.health.snapshot().await;
    let reason = if state.stop.is_cancelled() {
        Some("the process is stopping")
    } else if snapshot.database.status != Status::Ok {
        Some("Postgres does not answer")
    } else if !snapshot.schema_current {
        Some("the database's schema is older than this build; run `api migrate`")
    } else {
        None
    };
    match reason {
        None => (StatusCode::OK, Json(Ready { status: "ok", reason })),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, Json(Ready { status: "unavailable", reason })),
    }
}

/// How does everything do?
///
/// 503 only when Postgres cannot be reached: an accelerator's outage must not block a deploy. Looked at most once a second, beside requests.
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses((status = 200, description = "`ok` or `degraded`", body = Health), (status = 503, description = "`unavailable`", body = Health))
)]
async fn health(State(state): State<AppState>) -> (StatusCode, Json<Health>) {
    let snapshot = state.health.snapshot().await;
    let checks =
        Checks { database: snapshot.database, redis: snapshot.redis, nats: snapshot.nats, qdrant: snapshot.qdrant };
    let accelerators = [&checks.redis, &checks.nats, &checks.qdrant];
    let (code, status) = if checks.database.status != Status::Ok {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    } else if accelerators.iter().any(|check| check.status == Status::Error) {
        (StatusCode::OK, "degraded")
    } else {
        (StatusCode::OK, "ok")
    };
    let health = Health {
        status,
        environment: state.about.environment.to_string(),
        version: state.about.version,
        commit: state.about.commit,
        uptime_seconds: state.about.started.elapsed().as_secs(),
        checks,
    };
    (code, Json(health))
}
