//! The secrets that the programs require, freshly generated.

use adapters::webhook::WebhookKey;
use domain::identity::access_token::TokenRing;
use kernel::{Clock, Ids, crypto::SecretsRing};
use vault::{KekRing, VaultKeyRing};

/// Returns every secret that `api` or `worker` requires, by its variable.
pub fn keys() -> [(&'static str, String); 5] {
    let ids = Ids::new(Clock::system());
    [
        ("SECRETS_KEY", SecretsRing::generate(&ids).reveal()),
        ("WEBHOOK_SIGNING_KEY", WebhookKey::generate(&ids).reveal()),
        ("JWT_SIGNING_KEY", TokenRing::generate(&ids).reveal()),
        ("VAULT_SIGNING_KEY", VaultKeyRing::generate(&ids).reveal()),
        ("VAULT_KEK", KekRing::generate(&ids).reveal()),
    ]
}
