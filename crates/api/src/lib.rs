//! The HTTP program: thin handlers over the areas, and what every endpoint promises, written once.
//!
//! A request passes, in this order: the listener's limits (`listener.rs`), the edge (`edge/`:
//! request id, trace, span, metrics, panics, problems, security headers), CORS, load shedding and
//! timeouts, then the router, the extractors that prove who asks (`auth/`), and a handler in
//! `routes/`. How a route is declared is in `route/`.
//!
//! docs/adding-an-endpoint.md is the recipe.

mod auth;
mod build;
mod commands;
mod config;
mod cookie;
mod docs;
mod edge;
mod extract;
mod limits;
mod listener;
mod mcp;
mod polls;
mod problem;
mod reply;
mod route;
mod router;
mod routes;
mod serve;
mod state;
mod vault_page;

pub use commands::{main, run};
pub use config::Config;
pub use route::OperationCodes;
pub use router::{document, operation_codes};
pub use serve::{serve, serve_at};
