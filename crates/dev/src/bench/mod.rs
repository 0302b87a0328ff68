//! `cargo dev bench <name>`: the product and its baseline, measured in the same run on the same
//! machine and the same Postgres. Machines are noisy and ratios are not, so a bar is set on a ratio
//! where there is one.
//!
//! The product is the release build of the shipped binary. Load comes from a process of its own
//! (`load.rs`), the same one for both sides. Both sides take turns, several times; the median of
//! their rates counts.

mod auth;
mod counting;
mod drive;
mod health;
mod intents;
mod limits;
mod load;
mod play;
mod product;
mod release;
mod report;
mod run;
mod vault;

pub use drive::Counted;
pub use health::serve_bare;
pub use load::Load;
pub use play::play;
pub use release::in_release_build;
pub use report::{Case, Report};
pub use run::{NAMES, run};
