//! stub
/// s
#[derive(Debug, Clone)]
pub struct WebhookKey;
impl WebhookKey {
    /// s
    pub fn generate(_: &domain::Ids) -> Self {
        Self
    }
    /// s
    pub fn public(&self) -> String {
        String::new()
    }
    /// s
    pub fn reveal(&self) -> String {
        String::new()
    }
}
impl std::str::FromStr for WebhookKey {
    type Err = String;
    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Self)
    }
}
