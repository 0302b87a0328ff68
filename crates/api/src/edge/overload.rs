//! Turning requests away while there are too many, rather than letting all of them wait; and ending those that take too long.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Code, Error};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// How many requests are worked on at once.
const REQUESTS: usize = 1_024;
/// How many wait for their inbox at once: they cost memory, and a query now and then.
const LONG_POLLS: usize = 10_000;
/// How long a request may take; Postgres cancels a statement earlier.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long one that waits for its inbox may take.
const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(60);

/// The places for requests.
#[derive(Clone)]
pub struct Slots {
    requests: Arc<Semaphore>,
    long_polls: Arc<Semaphore>,
}

impl Slots {
    /// All free.
    pub fn new() -> Self {
        Self { requests: Arc::new(Semaphore::new(REQUESTS)), long_polls: Arc::new(Semaphore::new(LONG_POLLS)) }
    }
}

/// Answers 503 when no place is free, and when the time is over. `/health` is not asked to take one: it must answer above all when the
/// rest is full.
pub async fn shed(State(slots): State<Slots>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/health") {
        return next.run(request).await;
    }
    let (places, timeout) =
        if path.ends_with("/inbox") { (&slots.long_polls, LONG_POLL_TIMEOUT) } else { (&slots.requests, TIMEOUT) };
    let Ok(_place) = places.try_acquire() else {
        let error = Error::new(Code::Overloaded, "Too many requests are being worked on; try again shortly");
        return Problem::from(error.retry_after(Duration::from_secs(1))).into_response();
    };
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(elapsed) => Problem::from(Error::unavailable(elapsed)).into_response(),
    }
}
