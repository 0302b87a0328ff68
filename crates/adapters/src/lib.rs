//! stub
pub mod connect;
pub mod health;
pub mod network;
pub mod rate;
pub mod redis;
pub mod settings;
pub mod telemetry;
pub mod wake;
pub mod webhook;
pub use connect::{Adapters, connect};
