//! stub
/// s
#[derive(Debug, Clone, Default)]
pub struct RedisDbs;
impl std::str::FromStr for RedisDbs {
    type Err = String;
    fn from_str(_: &str) -> Result<Self, String> {
        Ok(Self)
    }
}
impl std::fmt::Display for RedisDbs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a=1")
    }
}
