//! `/health`: for platforms, load balancers and people.

use std::future;

use adapters::health::{Check, Status};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    edge, operation,
    route::{Describe, OperationDoc, Routes},
    state::AppState,
};

/// The routes of health.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(check_liveness).probe())
        .add(operation!(check_readiness).probe())
        .add(operation!(get_health).probe())
}

/// The process runs.
#[derive(Debug, Serialize, ToSchema)]
struct Live {
    /// `ok`.
    status: &'static str,
}

/// The ability to serve requests.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// The part that is missing; null when `ok`.
    #[schema(required = true)]
    reason: Option<&'static str>,
}

/// The state of the process and of everything it uses.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`; `degraded` when an accelerator is away, which costs speed and nothing else;
    /// `unavailable` without Postgres.
    status: &'static str,
    /// The environment that it runs in.
    environment: String,
    /// The version of the build.
    version: &'static str,
    /// The commit of the build, if known.
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

/// A report that everything needed is there (200), or not (503).
#[derive(Debug)]
struct Report<T> {
    available: bool,
    body: T,
}

impl<T: Serialize> IntoResponse for Report<T> {
    fn into_response(self) -> Response {
        let status = if self.available { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(self.body)).into_response()
    }
}

impl<T: ToSchema> Describe for Report<T> {
    fn describe(doc: &mut OperationDoc) {
        doc.responds::<T>(200, "Available");
        doc.responds::<T>(503, "Unavailable");
    }
}

/// Check liveness
///
/// Answers 200 whenever the process runs, and depends on nothing else.
#[utoipa::path(get, path = "/health/live", tag = "health")]
async fn check_liveness() -> Json<Live> {
    Json(Live { status: "ok" })
}

/// Returns the same response for the route that passes no layer. The headers that layers add are
/// built beforehand, except for the request's id.
pub fn live_at_once(state: &AppState) -> impl Fn() -> future::Ready<Response> + Clone + Send + 'static {
    let mut headers = edge::every_response();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let ids = state.core.ids.clone();
    move || {
        let mut response = Response::new(Body::from(r#"{"status":"ok"}"#));
        *response.headers_mut() = headers.clone();
        edge::set_request_id(&mut response, &ids.next::<Uuid>().simple().to_string());
        future::ready(response)
    }
}

/// Check readiness
///
/// Answers 200 when requests can be served: Postgres answers, its schema is current, and the
/// process was not asked to stop.
#[utoipa::path(get, path = "/health/ready", tag = "health")]
async fn check_readiness(State(state): State<AppState>) -> Report<Ready> {
    let snapshot = state.health.snapshot().await;
    let reason = if state.stop.is_cancelled() {
        Some("the process is stopping")
    } else if snapshot.ready() {
        None
    } else if snapshot.database.status == Status::Ok {
        Some("the database's schema is older than this build; run `api migrate`")
    } else {
        Some("Postgres does not answer")
    };
    let status = if reason.is_none() { "ok" } else { "unavailable" };
    Report { available: reason.is_none(), body: Ready { status, reason } }
}

/// Get the health
///
/// Answers 503 only when Postgres cannot be reached: an accelerator's outage must not block a
/// deploy. Dependencies are probed at most once a second, beside requests.
#[utoipa::path(get, path = "/health", tag = "health")]
async fn get_health(State(state): State<AppState>) -> Report<Health> {
    let snapshot = state.health.snapshot().await;
    let available = snapshot.database.status == Status::Ok;
    let status = match available {
        false => "unavailable",
        true if snapshot.degraded() => "degraded",
        true => "ok",
    };
    let about = &state.about;
    let body = Health {
        status,
        environment: about.environment.to_string(),
        version: about.version,
        commit: about.commit,
        uptime_seconds: about.started.elapsed().as_secs(),
        checks: Checks {
            database: snapshot.database,
            redis: snapshot.redis,
            nats: snapshot.nats,
            qdrant: snapshot.qdrant,
        },
    };
    Report { available, body }
}
