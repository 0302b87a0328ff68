//! Secrets that belong to a `--data` folder: generated once, and found again next time.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result};

/// Returns the secret `name` of the folder, and generates it if the folder has none. Without a
/// folder, generates a new secret each time.
pub(crate) async fn kept(
    data: Option<&Path>,
    name: &str,
    make: impl AsyncFnOnce() -> Result<String>,
) -> Result<String> {
    let Some(data) = data else { return make().await };
    let file = data.join(name);
    if file.exists() {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        return Ok(text.trim().to_owned());
    }
    let secret = make().await?;
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
    writeln!(new, "{secret}")?;
    Ok(secret)
}
