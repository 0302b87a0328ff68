//! Drivers of what Holdfast uses beside Postgres, all of which may be absent: Redis, NATS, Qdrant,
//! outgoing webhooks, mail, witnesses.
//!
//! Adding one, step by step: a port in `kernel::ports` whose signature says what a caller does
//! without it; a file here with the driver, which implements `guard::Driver`; the port for
//! `Guarded<Driver>`; its place in [`connect()`] and in [`health::Snapshot`].

mod backoff;
pub mod connect;
mod gcra;
mod guard;
pub mod health;
mod listen;
pub mod mail;
mod nats;
pub mod network;
mod postgres;
mod qdrant;
pub mod rate;
pub mod redis;
pub mod settings;
pub mod telemetry;
pub mod vault;
pub mod wake;
pub mod webhook;
pub mod witness;

pub use self::connect::{Adapters, Settings, connect};
pub use self::health::Health;
pub use self::rate::RateLimiter;
pub use self::redis::RedisDbs;
pub use self::wake::WakeHub;
