//! stub
/// s
pub fn check_private(_: &[(&'static str, String)]) -> Vec<String> {
    vec![]
}
