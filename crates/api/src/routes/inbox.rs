//! `/v1/inbox`: a recipient's deliveries.

use std::time::Duration;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use domain::intents::{
    self, ACK_ERRORS, EXTEND_ERRORS, Lease, LeaseClaim, MAX_WAIT, NACK_ERRORS, POLL_ERRORS, Poll,
};
use kernel::{
    caller::allow,
    ids::{DeliveryId, LeaseToken},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::{JsonBody, Signed},
    extract::{Path, Query},
    operation,
    problem::Problem,
    reply::NoContent,
    route::Routes,
    state::AppState,
};

/// The routes of the inbox.
pub fn routes() -> Routes {
    Routes::new()
        .add(operation!(poll_inbox, POLL_ERRORS).long_poll())
        .add(operation!(ack_delivery, ACK_ERRORS))
        .add(operation!(nack_delivery, NACK_ERRORS))
        .add(operation!(extend_lease, EXTEND_ERRORS))
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
    /// The deliveries, oldest first; empty when none was due in time.
    data: Vec<Lease>,
}

/// Acknowledges a delivery.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ack {
    /// The token of the lease.
    lease_token: LeaseToken,
}

/// Hands a delivery back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nack {
    /// The token of the lease.
    lease_token: LeaseToken,
    /// Seconds until it may be leased again, at most a day; at once when left out.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 86_400)]
    delay_seconds: u32,
    /// The reason, for the sender to read.
    #[schema(min_length = 1, max_length = 500, pattern = "^[^\\u0000]*$")]
    reason: Option<String>,
}

/// Extends a lease.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Extend {
    /// The token of the lease.
    lease_token: LeaseToken,
    /// Seconds from now until the lease ends, 1 to 3,600.
    #[schema(minimum = 1, maximum = 3600)]
    seconds: u32,
}

/// The time at which a delivery can be leased again.
#[derive(Debug, Serialize, ToSchema)]
struct Due {
    /// The end of the lease, or of the delay.
    visible_at: DateTime<Utc>,
}

/// A signed request about a delivery.
type Settling<T> = JsonBody<Signed<allow::IntentsWrite>, T>;

/// Lease deliveries
///
/// Waits for the first as long as `wait` asks for. Each delivery is the caller's until its lease
/// ends. Settle it with its token before, or it is delivered again: at least once, never at most
/// once.
#[utoipa::path(get, path = "/inbox", tag = "inbox")]
async fn poll_inbox(
    State(state): State<AppState>,
    Signed(by): Signed<allow::IntentsRead>,
    Query(query): Query<PollQuery>,
) -> Result<Json<Inbox>, Problem> {
    let wanted = Duration::from_secs(query.wait.into());
    // An agent that holds many polls already is answered at once, as if it had not asked to wait.
    let place = (!wanted.is_zero()).then(|| state.polls.enter(by.agent)).flatten();
    let wait = if place.is_some() || wanted > MAX_WAIT { wanted } else { Duration::ZERO };
    let poll = Poll { max: query.max.unwrap_or(10), wait, lease_seconds: query.lease_seconds };
    let data = intents::poll(&state.core, &by, poll, state.stop.cancelled()).await?;
    Ok(Json(Inbox { data }))
}

/// Acknowledge a delivery
///
/// The recipient has it and is not sent it again. Repeating the request with the same token is
/// fine.
#[utoipa::path(post, path = "/inbox/{delivery}/ack", tag = "inbox")]
async fn ack_delivery(
    State(state): State<AppState>,
    Path(delivery): Path<DeliveryId>,
    JsonBody { caller: Signed(by), body, .. }: Settling<Ack>,
) -> Result<NoContent, Problem> {
    intents::ack(&state.core, &by, LeaseClaim { delivery, token: body.lease_token }).await?;
    Ok(NoContent)
}

/// Decline a delivery for now
#[utoipa::path(post, path = "/inbox/{delivery}/nack", tag = "inbox")]
async fn nack_delivery(
    State(state): State<AppState>,
    Path(delivery): Path<DeliveryId>,
    JsonBody { caller: Signed(by), body, .. }: Settling<Nack>,
) -> Result<Json<Due>, Problem> {
    let claim = LeaseClaim { delivery, token: body.lease_token };
    let (delay, reason) = (body.delay_seconds, body.reason.as_deref());
    Ok(Json(Due { visible_at: intents::nack(&state.core, &by, claim, delay, reason).await? }))
}

/// Extend a lease
#[utoipa::path(post, path = "/inbox/{delivery}/extend", tag = "inbox")]
async fn extend_lease(
    State(state): State<AppState>,
    Path(delivery): Path<DeliveryId>,
    JsonBody { caller: Signed(by), body, .. }: Settling<Extend>,
) -> Result<Json<Due>, Problem> {
    let claim = LeaseClaim { delivery, token: body.lease_token };
    Ok(Json(Due { visible_at: intents::extend(&state.core, &by, claim, body.seconds).await? }))
}
