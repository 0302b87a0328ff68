//! Intents: signed messages from one agent to another, delivered at least once.
//!
//! An intent is accepted in one commit, together with its delivery. The delivery is then leased: by
//! its recipient, who pulls it from its inbox, or by the worker on the recipient's behalf, who
//! pushes it to the recipient's endpoint. The holder of the newest lease's token may settle it.
//!
//! ```text
//! accepted ──lease──▶ leased ──ack──▶ acked
//!     ▲                 │
//!     └──nack, or the lease ends      accepted, leased ──ttl──▶ expired
//!                                     accepted, leased ──given up──▶ dead
//! ```

mod deliver;
mod get;
mod inbox;
mod limits;
mod model;
mod push;
mod retire;
mod send;
mod settle;
mod store;
mod sweep;

pub mod jobs;

pub use deliver::{PUSH_SCHEDULE, deliver};
pub use get::{GET_ERRORS, LIST_ERRORS, get, list};
pub use inbox::{POLL_ERRORS, Poll, poll};
pub use limits::{
    DEFAULT_LEASE_SECONDS, DEFAULT_TTL_SECONDS, LEASE_SECONDS, MAX_ATTEMPTS, MAX_BATCH, MAX_BODY,
    MAX_PAYLOAD, MAX_WAIT, RETENTION, TTL_SECONDS,
};
pub use model::{Accepted, Delivery, Envelope, Intent, Lease, LeaseClaim, NewIntent, State, Summary};
pub use push::{Push, PushRequest};
pub use retire::retire;
pub use send::{SEND_ERRORS, send};
pub use settle::{ACK_ERRORS, EXTEND_ERRORS, NACK_ERRORS, ack, extend, nack};
pub use sweep::{prune, sweep};
