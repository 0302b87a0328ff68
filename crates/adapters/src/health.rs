//! stub
use serde::Serialize;
/// s
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// s
    Ok,
    /// s
    Error,
    /// s
    Disabled,
}
/// s
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Check {
    /// s
    pub status: Status,
    /// s
    pub latency_ms: Option<f64>,
    /// s
    pub detail: Option<String>,
}
/// s
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// s
    pub database: Check,
    /// s
    pub redis: Check,
    /// s
    pub nats: Check,
    /// s
    pub qdrant: Check,
    /// s
    pub schema_current: bool,
}
/// s
#[derive(Debug, Clone)]
pub struct Health;
impl Health {
    /// s
    pub async fn snapshot(&self) -> Snapshot {
        loop {}
    }
}
