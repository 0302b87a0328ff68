//! The durations of requests, for Prometheus.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use metrics::Histogram;

const NAME: &str = "http_request_duration_seconds";

/// Describes the metric, once, at the start.
pub fn describe_metrics() {
    metrics::describe_histogram!(
        NAME,
        metrics::Unit::Seconds,
        "How long requests took, by method, route and status."
    );
}

/// The histograms that were needed so far, since building a name from its labels costs more than
/// recording a value. There are at most as many as routes have methods and statuses; clients cannot
/// add any.
#[derive(Default)]
pub(super) struct Durations(RwLock<HashMap<String, OfRoute>>);

/// The histograms of a route, by method and status.
type OfRoute = Vec<(&'static str, StatusCode, Histogram)>;

impl Durations {
    /// Notes one request; `route` is its template.
    pub(super) fn record(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        self.histogram(label(method), route, status).record(elapsed.as_secs_f64());
    }

    fn histogram(&self, method: &'static str, route: &str, status: StatusCode) -> Histogram {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut of_route = known.get(route).into_iter().flatten();
        if let Some((.., histogram)) = of_route.find(|known| (known.0, known.1) == (method, status)) {
            return histogram.clone();
        }
        drop(known);
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        let histogram = metrics::histogram!(NAME, &labels);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().push((method, status, histogram.clone()));
        histogram
    }
}

/// Returns the label of a method. Clients invent methods as well.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
