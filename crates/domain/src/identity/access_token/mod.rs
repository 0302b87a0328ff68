//! Access tokens of people: JWTs (RFC 7519, RFC 9068) that EdDSA signs (RFC 8037), valid for 15
//! minutes, checked without a look at Postgres.

mod ed25519;
mod key_set;
mod keys;
mod tokens;

pub use key_set::{Jwk, Jwks};
pub use keys::{TokenKind, TokenRing};
pub use tokens::{AccessTokens, Bearer, CHECK_ERRORS, LIFETIME};
