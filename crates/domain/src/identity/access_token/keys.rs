//! The keys that sign access tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use kernel::crypto::{KeyRing, RingKind, sha256};

/// The kind of the keys in `JWT_SIGNING_KEY`.
#[derive(Debug, Clone, Copy)]
pub struct TokenKind;

impl RingKind for TokenKind {
    const PREFIX: &'static str = "jwtk_";
    const MAX_KEYS: usize = 4;
    const FIRST: &'static str = "the first signs, all verify";
}

/// The keys in `JWT_SIGNING_KEY`. A rotation puts the new key in front, and drops the old one once
/// its last token has expired, so that nobody is logged out.
pub type TokenRing = KeyRing<TokenKind>;

/// A key, and its name in a token's header.
#[derive(Clone)]
pub(super) struct TokenKey {
    pub(super) id: String,
    pub(super) secret: SigningKey,
}

impl TokenKey {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(secret);
        Self { id: thumbprint(&secret.verifying_key()), secret }
    }

    /// Returns the public key in base64url.
    pub(super) fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret.verifying_key().as_bytes())
    }
}

/// Returns the JWK thumbprint (RFC 7638): SHA-256 over the required members, in lexicographic
/// order.
fn thumbprint(key: &VerifyingKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
    URL_SAFE_NO_PAD.encode(sha256(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()))
}
