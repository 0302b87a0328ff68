//! The state of one dependency, as `/health` tells it.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

/// The state of one dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It answers.
    Ok,
    /// It is configured and does not answer.
    Error,
    /// It is not configured.
    Disabled,
}

/// The findings of the latest probe of one dependency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Check {
    /// The state.
    pub status: Status,
    /// The time of a round trip, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// The fault, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Check {
    pub(crate) fn ok(latency: Duration) -> Self {
        let latency_ms = (latency.as_secs_f64() * 100_000.0).round() / 100.0;
        Self { status: Status::Ok, latency_ms: Some(latency_ms), detail: None }
    }

    pub(crate) fn error(detail: String) -> Self {
        Self { status: Status::Error, latency_ms: None, detail: Some(detail) }
    }

    pub(crate) fn disabled() -> Self {
        Self { status: Status::Disabled, latency_ms: None, detail: None }
    }
}
