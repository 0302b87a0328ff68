//! Refresh tokens: 256 bits that only their holder has.

use std::{fmt, str::FromStr};

use kernel::{Ids, crypto::sha256};

const PREFIX: &str = "hfr_";
/// The digits of the longest base58 of 32 bytes.
const MAX_DIGITS: usize = 44;

/// A refresh token as its holder has it. `Debug` masks it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

/// The error for text that is not a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the refresh token is not complete")]
pub struct NotARefreshToken;

impl RefreshToken {
    /// Generates a token.
    pub fn generate(ids: &Ids) -> Self {
        Self(format!("{PREFIX}{}", bs58::encode(ids.bytes::<32>()).into_string()))
    }

    /// Returns the digest that is stored: the token has 256 bits of entropy, so a slow hash would
    /// add nothing.
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// Returns the text, for its holder.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for RefreshToken {
    type Err = NotARefreshToken;

    fn from_str(text: &str) -> Result<Self, NotARefreshToken> {
        let digits =
            text.strip_prefix(PREFIX).filter(|digits| digits.len() <= MAX_DIGITS).ok_or(NotARefreshToken)?;
        let bytes = bs58::decode(digits).into_vec().map_err(|_| NotARefreshToken)?;
        if bytes.len() == 32 { Ok(Self(text.to_owned())) } else { Err(NotARefreshToken) }
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hfr_***")
    }
}
