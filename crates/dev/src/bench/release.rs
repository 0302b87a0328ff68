//! The release build, which is what a benchmark measures.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

/// Builds the release binaries and continues in the new one, with the same arguments. Returns at
/// once if this is the release build.
///
/// # Errors
/// Fails when the build fails.
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

/// Returns a binary of the release build, beside this one's or in the folder next to it.
///
/// # Errors
/// Fails when it is not built.
pub(super) fn release_binary(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let profile = this.parent().context("this program is in no folder")?;
    let target = profile.parent().context("this program is in no target folder")?;
    let binary = target.join("release").join(name);
    ensure!(
        binary.exists(),
        "{} is not built; run `cargo build --release -p api -p worker -p dev --bins` first, or \
        `cargo dev bench`, which does",
        binary.display()
    );
    Ok(binary)
}
