//! What the vault needs to know of the environment.

use clap::{Args, ValueEnum};
use kernel::Core;
use url::Url;
use vault::{Vault, note::VaultKeys, personal::Keks};

use crate::settings::Masked;
use crate::witness::Witnesses;

/// How the vault is kept, and its secrets.
#[derive(Debug, Clone, Args)]
pub struct VaultSettings {
    /// Where the vault keeps its logs: postgres, and nothing else.
    #[arg(long, env = "VAULT_BACKEND", default_value = "postgres", value_parser = backend)]
    pub vault_backend: Backend,

    /// The Ed25519 key that signs the vault's checkpoints, vsk_…; `api keygen vault` makes one. Up to 3, separated by commas, all of which sign.
    #[arg(long, env = "VAULT_SIGNING_KEY", value_parser = signing_keys)]
    pub vault_signing_key: Masked<VaultKeys>,

    /// The key under which the vault wraps the keys of personal data, vkek_…; `api keygen kek` makes one. Up to 3, separated by commas: the first wraps, all unwrap.
    #[arg(long, env = "VAULT_KEK", value_parser = keks)]
    pub vault_kek: Masked<Keks>,
}

/// Where the vault keeps its logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// In Postgres.
    Postgres,
}

impl VaultSettings {
    /// The vault that is found at `public_url`. Where there are witnesses, it signs nothing until they were asked.
    pub fn vault(&self, core: Core, public_url: &Url, witnesses: &Witnesses) -> Vault {
        let vault =
            Vault::new(core, self.vault_signing_key.reveal().clone(), self.vault_kek.reveal().clone(), public_url);
        let named: Vec<_> =
            witnesses.endpoints().iter().map(|witness| (witness.key.clone(), witness.url.clone())).collect();
        if named.is_empty() { vault } else { vault.witnessed_by(&named) }
    }
}

fn backend(text: &str) -> Result<Backend, String> {
    match text {
        "postgres" => Ok(Backend::Postgres),
        "filesystem" => {
            Err("containers lose their files when they are replaced, and the vault must not; it wants postgres"
                .to_owned())
        }
        _ => Err("it wants postgres".to_owned()),
    }
}

fn signing_keys(text: &str) -> Result<Masked<VaultKeys>, String> {
    text.parse().map(Masked::new).map_err(|error| format!("held *** ({error}); `api keygen vault` makes one"))
}

fn keks(text: &str) -> Result<Masked<Keks>, String> {
    text.parse().map(Masked::new).map_err(|error| format!("held *** ({error}); `api keygen kek` makes one"))
}
