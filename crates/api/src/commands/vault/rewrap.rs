//! `api vault rewrap`.

use std::process::ExitCode;

use anyhow::Context;
use vault::Rewrapped;

use super::{
    open::{open, require_schema},
    words::thousands,
};
use crate::{
    commands::print::{print, print_aside},
    config::Config,
};

/// Wraps keys under the first one, and prints how many are left.
pub(in crate::commands) async fn rewrap(config: &Config) -> anyhow::Result<ExitCode> {
    let vault = open(config);
    require_schema(&vault.core).await?;
    let show = |done: &Rewrapped| {
        let (seen, moved) = (thousands(done.seen), thousands(done.moved));
        print_aside(&format!("{seen} keys looked at, {moved} wrapped anew"));
    };
    let done = vault::rewrap(&vault, show).await.context("not all keys could be looked at; run it again")?;
    let (seen, moved, left) = (thousands(done.seen), thousands(done.moved), thousands(done.left()));
    print(&format!(
        "{seen} keys, {moved} wrapped anew, {left} left under another key than the first of VAULT_KEK"
    ));
    if done.missed > 0 {
        print(&format!("  {} changed meanwhile; run it again", thousands(done.missed)));
    }
    if done.unreadable > 0 {
        let unreadable = thousands(done.unreadable);
        print(&format!(
            "  {unreadable} unwrap under no key of VAULT_KEK: put the older keys behind the first"
        ));
    }
    Ok(if done.left() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
