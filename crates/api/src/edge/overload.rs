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
        Self::of(REQUESTS, LONG_POLLS)
    }

    fn of(requests: usize, long_polls: usize) -> Self {
        Self { requests: Arc::new(Semaphore::new(requests)), long_polls: Arc::new(Semaphore::new(long_polls)) }
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

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt;

    use super::*;

    fn router(slots: Slots) -> Router {
        Router::new()
            .fallback(get(async || "here"))
            .route("/waits", get(std::future::pending::<()>))
            .layer(from_fn_with_state(slots, shed))
    }

    async fn status(router: &Router, path: &str) -> StatusCode {
        router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn when_it_is_full_only_health_and_long_polls_are_served() {
        let router = router(Slots::of(1, 1));
        let (held, while_full) = (router.clone(), router.clone());
        tokio::select! {
            biased;
            _ = status(&held, "/waits") => panic!("it waits for ever"),
            () = async {
                assert_eq!(status(&while_full, "/v1/agents").await, StatusCode::SERVICE_UNAVAILABLE);
                assert_eq!(status(&while_full, "/health").await, StatusCode::OK);
                assert_eq!(status(&while_full, "/v1/inbox").await, StatusCode::OK);
            } => {}
        }
        assert_eq!(status(&router, "/v1/agents").await, StatusCode::OK, "the place is free again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_ended() {
        assert_eq!(status(&router(Slots::new()), "/waits").await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
