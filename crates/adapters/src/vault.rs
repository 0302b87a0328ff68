//! The settings of the vault.

use clap::{Args, ValueEnum};
use kernel::Core;
use url::Url;
use vault::{KekRing, Vault, VaultKeyRing};

use crate::settings::Masked;
use crate::witness::Witnesses;

/// The settings of the vault, and its secrets.
#[derive(Debug, Clone, Args)]
pub struct VaultSettings {
    /// The place where the vault keeps its logs: postgres, and nothing else.
    #[arg(long, env = "VAULT_BACKEND", default_value = "postgres", value_parser = backend)]
    pub vault_backend: Backend,

    /// The Ed25519 key that signs the vault's checkpoints, vsk_…; `api keygen vault` generates one.
    /// Up to 3, separated by commas, all of which sign.
    #[arg(long, env = "VAULT_SIGNING_KEY", value_parser = signing_keys)]
    pub vault_signing_key: Masked<VaultKeyRing>,

    /// The key under which the vault wraps the keys of personal data, vkek_…; `api keygen kek`
    /// generates one. Up to 3, separated by commas: the first wraps, all unwrap.
    #[arg(long, env = "VAULT_KEK", value_parser = keks)]
    pub vault_kek: Masked<KekRing>,
}

/// The place where the vault keeps its logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// In Postgres.
    Postgres,
}

impl VaultSettings {
    /// Returns the vault that is found at `public_url`. Where there are witnesses, it signs nothing
    /// until they were asked.
    pub fn vault(&self, core: Core, public_url: &Url, witnesses: &Witnesses) -> Vault {
        let (keys, keks) = (self.vault_signing_key.reveal(), self.vault_kek.reveal());
        let vault = Vault::new(core, keys, keks, public_url);
        let named: Vec<_> =
            witnesses.endpoints().iter().map(|witness| (witness.key.clone(), witness.url.clone())).collect();
        if named.is_empty() { vault } else { vault.witnessed_by(&named) }
    }
}

fn backend(text: &str) -> Result<Backend, String> {
    match text {
        "postgres" => Ok(Backend::Postgres),
        "filesystem" => Err(
            "containers lose their files when they are replaced, and the vault must not; it wants postgres"
                .to_owned(),
        ),
        _ => Err("it wants postgres".to_owned()),
    }
}

fn signing_keys(text: &str) -> Result<Masked<VaultKeyRing>, String> {
    text.parse()
        .map(Masked::new)
        .map_err(|error| format!("held *** ({error}); `api keygen vault` generates one"))
}

fn keks(text: &str) -> Result<Masked<KekRing>, String> {
    text.parse()
        .map(Masked::new)
        .map_err(|error| format!("held *** ({error}); `api keygen kek` generates one"))
}
