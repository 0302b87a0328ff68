//! The benchmarks by their names.

use anyhow::{Result, bail};

use super::{auth, counting, health, intents, limits, report::Report, vault};

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
        "seals a second over HTTP ÷ plain rows, and ÷ a chain of hashes; receipts, proofs and storage at a \
        million entries",
    ),
];

/// Runs one benchmark, in a release build: a debug build makes one and becomes it.
///
/// Fails on an unknown name, and when the product does not start.
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
