//! stub
use std::sync::Arc;
use url::Url;
/// s
#[derive(Debug, Clone)]
pub struct Settings {
    /// s
    pub direct_database: sqlx::postgres::PgConnectOptions,
    /// s
    pub redis_url: Option<Url>,
    /// s
    pub redis_dbs: crate::redis::RedisDbs,
    /// s
    pub nats_url: Option<Url>,
    /// s
    pub qdrant_url: Option<Url>,
    /// s
    pub qdrant_api_key: Option<String>,
}
/// s
pub struct Adapters {
    /// s
    pub wake: Arc<crate::wake::WakeHub>,
    /// s
    pub rate: crate::rate::RateLimiter,
    /// s
    pub health: crate::health::Health,
}
impl Adapters {
    /// s
    pub async fn close(self) {}
}
/// s
pub fn connect(_: Settings, _: domain::Db, _: domain::Clock) -> Adapters {
    loop {}
}
