//! Wake-ups between processes: hints that a sleeper may find something when it looks.
//!
//! A hint notifies the sleepers of its own process at once and goes into a bounded channel; when
//! that is full it is dropped. A relay takes the hints that have gathered and sends each topic
//! once: through NATS when that is up, otherwise by *one* `NOTIFY` for them all, since each takes a
//! lock of the whole server when it commits. Then it pauses a few milliseconds. Every process
//! listens to both. A lost hint costs a sleeper its polling interval.

pub(crate) mod hub;
pub(crate) mod relay;
mod sleepers;

pub use self::hub::WakeHub;
