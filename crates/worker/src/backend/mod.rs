//! Our own backend under apalis' `Worker`: one per queue, fed from a bounded channel.
//!
//! ```text
//! claim ──▶ channel ──▶ Backend::poll_next ──▶ apalis' layers ──▶ handler
//!   ▲ room                                          │ outcome
//!   └── Postgres ◀── write ◀── channel ◀── SettleLayer
//!          ▲── renew (every claim held)
//! ```
//!
//! Three separate tasks talk to Postgres, so that neither a full buffer nor a slow handler delays a
//! renewal or a settlement. docs/adr/0002-the-job-queue.md says why none of apalis' own backends is
//! used.

mod claim;
mod claims;
mod failure;
mod feed;
mod renew;
mod settle;
mod settlements;
mod write;

pub(crate) use claim::Claimer;
pub(crate) use claims::Claims;
pub(crate) use feed::QueueBackend;
pub(crate) use renew::renew;
pub(crate) use settle::SettleLayer;
pub(crate) use settlements::{Settlements, channel};
pub(crate) use write::write;
