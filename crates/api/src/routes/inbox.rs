//! `/v1/inbox`: a recipient's deliveries.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use domain::intents::{self, Hold, Lease, Poll};
use kernel::ids::{DeliveryId, LeaseToken};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Signed, SignedBy},
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

/// The routes of the inbox.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(poll)).routes(routes!(ack)).routes(routes!(nack)).routes(routes!(extend))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PollQuery {
    /// Seconds to wait for the first delivery, at most 30; 0 when left out.
    #[serde(default)]
    #[param(minimum = 0, maximum = 30)]
    wait: u16,
    /// The most deliveries to lease, 1 to 100; 10 when left out.
    #[param(minimum = 1, maximum = 100)]
    max: Option<u16>,
    /// Seconds the lease is to last, 1 to 3,600; 30 when left out.
    #[param(minimum = 1, maximum = 3600)]
    lease_seconds: Option<u32>,
}

/// Deliveries that were leased.
#[derive(Debug, Serialize, ToSchema)]
struct Inbox {
    /// Oldest first; empty when none was due in time.
    data: Vec<Lease>,
}

/// What settles a delivery.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ack {
    /// The token of the lease.
    lease_token: LeaseToken,
}

/// What hands a delivery back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nack {
    /// The token of the lease.
    lease_token: LeaseToken,
    /// Seconds until it may be leased again, at most a day; at once when left out.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 86_400)]
    delay_seconds: u32,
    /// Why, for the sender to read.
    #[schema(min_length = 1, max_length = 500, pattern = "^[^\\u0000]*$")]
    reason: Option<String>,
}

/// What prolongs a lease.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Extend {
    /// The token of the lease.
    lease_token: LeaseToken,
    /// Seconds from now until the lease ends, 1 to 3,600.
    #[schema(minimum = 1, maximum = 3600)]
    seconds: u32,
}

/// When a delivery can be leased again.
#[derive(Debug, Serialize, ToSchema)]
struct Due {
    /// The end of the lease, or of the delay.
    visible_at: DateTime<Utc>,
}

/// Lease deliveries
///
/// Waits for the first as long as `wait` says. Each is the caller's until its lease ends; settle it with its token before, or it is delivered
/// again: at least once, never at most once.
#[utoipa::path(
    get,
    path = "/inbox",
    tag = "inbox",
    params(PollQuery),
    security(("agent_signature" = [])),
    responses((status = 200, description = "What was leased", body = Inbox)),
)]
async fn poll(
    State(state): State<AppState>,
    SignedBy(recipient): SignedBy,
    Query(query): Query<PollQuery>,
) -> Result<Json<Inbox>, Problem> {
    // One that holds many polls already is answered at once, as if it had not asked to wait.
    let place = (query.wait > 0).then(|| state.polls.enter(recipient.agent)).flatten();
    let wait = if place.is_some() || query.wait > 30 { query.wait } else { 0 };
    let poll = Poll {
        max: query.max.unwrap_or(10),
        wait: Duration::from_secs(wait.into()),
        lease_seconds: query.lease_seconds,
    };
    let data = intents::poll(&state.core, &recipient, poll, state.stop.cancelled()).await?;
    Ok(Json(Inbox { data }))
}

/// Acknowledge a delivery
///
/// The recipient has it and will not be sent it again. Repeating it with the same token is fine.
#[utoipa::path(
    post,
    path = "/inbox/{delivery}/ack",
    tag = "inbox",
    params(("delivery" = DeliveryId, Path, description = "The delivery")),
    request_body = Ack,
    security(("agent_signature" = [])),
    responses((status = 204, description = "Acknowledged")),
)]
async fn ack(
    State(state): State<AppState>,
    Path(delivery): Path<DeliveryId>,
    signed: Signed<Ack>,
) -> Result<StatusCode, Problem> {
    let held = Hold { delivery, token: signed.body.lease_token };
    intents::ack(&state.core, &signed.signer, held).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Decline a delivery for now
#[utoipa::path(
    post,
    path = "/inbox/{delivery}/nack",
    tag = "inbox",
    params(("delivery" = DeliveryId, Path, description = "The delivery")),
    request_body = Nack,
    security(("agent_signature" = [])),
    responses((status = 200, description = "It may be leased again from then", body = Due)),
)]
async fn nack(
    State(state): State<AppState>,
    Path(delivery): Path<DeliveryId>,
    signed: Signed<Nack>,
) -> Result<Json<Due>, Problem> {
    let held = Hold { delivery, token: signed.body.lease_token };
    let (delay, reason) = (signed.body.delay_seconds, signed.body.reason.as_deref());
    let visible_at = intents::nack(&state.core, &signed.signer, held, delay, reason).await?;
    Ok(Json(Due { visible_at }))
}

/// Prolong a lease
#[utoipa::path(
    post,
    path = "/inbox/{delivery}/extend",
    tag = "inbox",
    params(("delivery" = DeliveryId, Path, description = "The delivery")),
    request_body = Extend,
    security(("agent_signature" = [])),
    responses((status = 200, description = "The lease ends then", body = Due)),
)]
async fn extend(
    State(state): State<AppState>,
    Path(delivery): Path<DeliveryId>,
    signed: Signed<Extend>,
) -> Result<Json<Due>, Problem> {
    let held = Hold { delivery, token: signed.body.lease_token };
    let visible_at = intents::extend(&state.core, &signed.signer, held, signed.body.seconds).await?;
    Ok(Json(Due { visible_at }))
}
