//! Requests that may be sent twice: the first response to an `Idempotency-Key` is stored in the
//! commit of the change itself, and given again.
//!
//! ```text
//! look up ──no record──▶ do it, store the response, commit     (one transaction)
//!   ├──a record of the same request──▶ the first response again, nothing is done
//!   ├──a record of another request──▶ 422
//!   └──under way elsewhere──▶ 409
//! ```
//!
//! A response is kept as the bytes that were sent, so that a replay survives a deploy that adds a
//! field. It is encrypted, since some hold secrets that are shown once; and a request is remembered
//! by a keyed digest, so that the database alone confirms no guess.

mod keyed;
mod lookup;
mod store;

pub use keyed::KeyedRequest;
pub use lookup::{RETENTION, lookup, lookup_all, prune, store_response, store_responses};
