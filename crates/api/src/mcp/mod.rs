//! `/mcp`: the vault's tools for language models, by the Model Context Protocol over streamable
//! HTTP.
//!
//! rmcp speaks the protocol; everything else is as on any route. The caller is proved and counted,
//! and its body is limited, before rmcp sees the request, and the tools call the use cases that the
//! routes call. No session is kept: each request brings its credentials and is answered whole, in
//! JSON, by whichever replica it reaches.
//!
//! ```text
//! edge ▸ RawBody<ProjectCaller> (key, token or signature; digest) ▸ message (one, no member twice)
//!     ▸ rmcp ▸ a tool ▸ vault
//! ```

mod answer;
mod call;
mod message;
mod query;
mod receipts;
mod route;
mod schema;
mod seal;
mod server;
mod tools;
mod words;

pub use route::{ATTRIBUTES, route};
