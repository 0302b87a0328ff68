//! `cargo dev bench <name>`: the product and its baseline, measured in the same run on the same machine and the same Postgres. Machines are
//! noisy, ratios are not: a bar is set on a ratio where there is one.
//!
//! The product is the release build of the shipped binary. Load comes from a process of its own (`load.rs`), the same one for both sides. Both
//! sides take turns, several times; the median of their rates counts.

pub mod load;

mod auth;
mod counting;
pub mod health;
mod intents;
mod limits;
mod product;
mod report;
mod vault;

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};

pub use load::Load;
pub use report::{Case, Report};

/// The benchmarks, and what each measures.
pub const NAMES: [(&str, &str); 6] = [
    ("auth", "an authenticated GET of an agent ÷ the same SELECT by raw sqlx, at 1, 16 and 64 connections"),
    ("counting", "an authenticated GET counted in Redis ÷ the same without limits, and the CPU of each"),
    ("health", "GET /health/live ÷ a bare axum route; memory; time until ready"),
    (
        "intents",
        "accepted intents a second over HTTP ÷ the same statements by raw sqlx, at 1, 16 and 64 connections",
    ),
    ("limits", "what two replicas let through together ÷ the quota that they share"),
    (
        "vault",
        "seals a second over HTTP ÷ plain rows, and ÷ a chain of hashes; receipts, proofs and storage at a million entries",
    ),
];

/// Runs one benchmark, in a release build: a debug build makes one and becomes it.
///
/// # Errors
/// An unknown name; whatever keeps the product from starting.
pub async fn run(name: &str) -> Result<Report> {
    match name {
        "auth" => auth::run().await,
        "counting" => counting::run().await,
        "health" => health::run().await,
        "intents" => intents::run().await,
        "limits" => limits::run().await,
        "vault" => vault::run().await,
        _ => bail!("there is no benchmark \"{name}\"; `cargo dev bench` lists them"),
    }
}

/// Builds the release binaries and continues in the new one, with the same arguments. Returns at once where this is it.
///
/// # Errors
/// When the build fails.
pub fn in_release_build() -> Result<()> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--quiet", "-p", "api", "-p", "worker", "-p", "dev", "--bins"])
        .status()
        .context("cargo does not start")?;
    ensure!(built.success(), "the release build failed");
    let error = Command::new(release_binary("dev")?).args(std::env::args_os().skip(1)).exec();
    Err(error).context("the release build does not start")
}

/// A binary of the release build, beside this one's or in the folder next to it.
fn release_binary(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let profile = this.parent().context("this program is in no folder")?;
    let target = profile.parent().context("this program is in no target folder")?;
    let binary = target.join("release").join(name);
    Ok(binary)
}
