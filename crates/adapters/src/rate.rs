//! stub
/// s
#[derive(Debug, Clone)]
pub struct RateLimiter;
impl RateLimiter {
    /// s
    pub async fn take(&self, _s: &str, _q: u32, _w: u32) -> domain::ports::RateDecision {
        loop {}
    }
}
