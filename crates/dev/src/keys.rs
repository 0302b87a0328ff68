//! The secrets that the programs want, freshly made.

use adapters::webhook::WebhookKey;
use domain::identity::access_token::TokenKeys;
use kernel::{Clock, Ids};
use vault::{note::VaultKeys, personal::Keks};

/// Every secret that `api` or `worker` does not start without, as its variable.
pub fn keys() -> [(&'static str, String); 4] {
    let ids = Ids::new(Clock::system());
    [
        ("WEBHOOK_SIGNING_KEY", WebhookKey::generate(&ids).reveal()),
        ("JWT_SIGNING_KEY", TokenKeys::generate(&ids).reveal()),
        ("VAULT_SIGNING_KEY", VaultKeys::generate(&ids).reveal()),
        ("VAULT_KEK", Keks::generate(&ids).reveal()),
    ]
}
