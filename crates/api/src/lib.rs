//! The HTTP program: thin handlers over `domain`, and what every endpoint promises, written once.
//!
//! A request passes, in this order: the listener's limits (`serve.rs`), the edge (`edge/`: request id, trace, span, metrics, panics, problems, security
//! headers), CORS, load shedding and timeouts, then the router, the extractors that prove who asks (`auth/`), and a handler in `routes/`.
//!
//! docs/adding-an-endpoint.md is the recipe.

mod auth;
mod commands;
mod config;
mod cookie;
mod docs;
mod edge;
mod extract;
mod mcp;
mod page;
mod polls;
mod problem;
mod router;
mod routes;
mod serde_words;
mod serve;
mod state;
mod vault_page;
mod version;

pub use commands::{main, run};
pub use config::Config;
pub use router::document;
pub use serve::{serve, serve_at};

/// The version of the build, and the commit it was built from where the build was told.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit, baked in by the image's build.
pub(crate) const COMMIT: Option<&str> = option_env!("GIT_SHA");
