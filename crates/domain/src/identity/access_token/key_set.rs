//! The public keys, for others to verify tokens with.

use serde::Serialize;
use utoipa::ToSchema;

use super::keys::TokenKey;

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Jwks {
    /// The keys that verify; the first also signs.
    pub keys: Vec<Jwk>,
}

/// An Ed25519 public key as a JSON Web Key (RFC 8037).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: &'static str,
    /// `Ed25519`.
    pub crv: &'static str,
    /// `EdDSA`.
    pub alg: &'static str,
    /// `sig`.
    pub r#use: &'static str,
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// The 32 bytes, base64url.
    pub x: String,
}

impl Jwks {
    /// Creates the set of some keys, in their order.
    pub(super) fn new(keys: &[TokenKey]) -> Self {
        let jwk = |key: &TokenKey| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            r#use: "sig",
            kid: key.id.clone(),
            x: key.public(),
        };
        Self { keys: keys.iter().map(jwk).collect() }
    }
}
