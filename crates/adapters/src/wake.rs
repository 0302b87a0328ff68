//! stub
/// s
#[derive(Debug)]
pub struct Silent;
impl domain::ports::Wake for Silent {
    fn wake(&self, _: domain::ports::Topic) {}
    fn bell(&self, _: domain::ports::Topic) -> std::sync::Arc<tokio::sync::Notify> {
        Default::default()
    }
}
/// s
pub type WakeHub = Silent;
