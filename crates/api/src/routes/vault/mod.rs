//! `/v1/vault`: sealing, finding, proving and deciding; and the logs as everybody may read them.

mod limits;
mod logs;
mod path;
mod proofs;
mod proposals;
mod seals;
mod tiles;

use crate::route::Routes;

/// The routes of the vault.
pub fn routes() -> Routes {
    Routes::new()
        .merge(seals::routes())
        .merge(proofs::routes())
        .merge(proposals::routes())
        .merge(logs::routes())
}
