//! The work around every handler, written once.

mod address;
mod admitted;
mod by_address;
mod durations;
mod headers;
mod meter;
mod outgoing;
mod overload;
mod schema;
mod slash;
mod trace;
mod watched;

pub use admitted::Admitted;
pub use durations::describe_metrics;
pub use headers::{every_response, set_request_id};
pub use meter::Meter;
pub use slash::{SentUri, keep_sent_uri};
pub use watched::Watched;
