//! Secrets that the programs are configured with.

use adapters::webhook::WebhookKey;
use clap::Subcommand;
use domain::identity::access_token::TokenRing;
use kernel::{Ids, crypto::SecretsRing};
use vault::{KekRing, VaultKeyRing};

/// A secret that `api keygen` generates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(super) enum Secret {
    /// The key for SECRETS_KEY.
    Secrets,
    /// The key for WEBHOOK_SIGNING_KEY.
    Webhook,
    /// The key for JWT_SIGNING_KEY.
    Jwt,
    /// The key for VAULT_SIGNING_KEY.
    Vault,
    /// The key for VAULT_KEK.
    Kek,
}

impl Secret {
    /// Every secret.
    pub(super) const ALL: [Secret; 5] =
        [Secret::Secrets, Secret::Webhook, Secret::Jwt, Secret::Vault, Secret::Kek];

    /// Returns the variable that holds it.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Secret::Secrets => "SECRETS_KEY",
            Secret::Webhook => "WEBHOOK_SIGNING_KEY",
            Secret::Jwt => "JWT_SIGNING_KEY",
            Secret::Vault => "VAULT_SIGNING_KEY",
            Secret::Kek => "VAULT_KEK",
        }
    }

    /// Generates a value.
    pub(super) fn generate(self, ids: &Ids) -> String {
        match self {
            Secret::Secrets => SecretsRing::generate(ids).reveal(),
            Secret::Webhook => WebhookKey::generate(ids).reveal(),
            Secret::Jwt => TokenRing::generate(ids).reveal(),
            Secret::Vault => VaultKeyRing::generate(ids).reveal(),
            Secret::Kek => KekRing::generate(ids).reveal(),
        }
    }
}
