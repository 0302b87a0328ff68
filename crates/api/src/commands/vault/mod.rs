//! `api vault`.

mod fsck;
mod open;
mod progress;
mod rewrap;
mod words;

use clap::Subcommand;

pub(super) use fsck::fsck;
pub(super) use rewrap::rewrap;

/// The exit code of a command that could not be done: nothing is known.
pub(super) const NOT_DONE: u8 = 2;

#[derive(Debug, Subcommand)]
pub(super) enum VaultCommand {
    /// Rebuild logs from their entries and compare them with everything stored about them. Exits
    /// with 0 when nothing is wrong, 1 when something is, 2 when that could not be found out.
    /// Changes nothing; appends continue meanwhile.
    Fsck(fsck::Options),
    /// Wrap the keys of personal data under the first key of VAULT_KEK, so that an older one can
    /// be retired. May be stopped and started again. Exits with 0 when no key is left under an
    /// older one, 1 when some are, 2 when that could not be found out.
    Rewrap,
}
