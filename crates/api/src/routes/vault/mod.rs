//! `/v1/vault`: sealing, finding, proving and deciding; and the logs as everybody may read them.

mod logs;
mod proofs;
mod proposals;
mod seals;

pub use seals::Sealed;

use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

/// The routes of the vault.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(seals::router()).merge(proofs::router()).merge(proposals::router()).merge(logs::router())
}
