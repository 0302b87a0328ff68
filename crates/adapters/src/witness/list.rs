//! The list of witnesses that an operator trusts.

use std::{fmt, str::FromStr, sync::Arc};

use vault::{Witness, format::cosignature::WitnessKey};

use super::{
    client::HttpWitness,
    endpoint::{NotAWitness, WitnessEndpoint},
};

/// The most witnesses: with three signatures of ours, fewer than the 16 that every reader of a note
/// must accept.
const MAX_WITNESSES: usize = 8;

/// The witnesses that are asked; `VAULT_WITNESSES`: `<verifier key> <url>`, separated by commas.
/// None when empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Witnesses(Vec<WitnessEndpoint>);

impl Witnesses {
    /// Returns them in the order of the list; no two have one key.
    pub fn endpoints(&self) -> &[WitnessEndpoint] {
        &self.0
    }

    /// Returns the key of each.
    pub fn keys(&self) -> Vec<WitnessKey> {
        self.0.iter().map(|witness| witness.key.clone()).collect()
    }

    /// Creates a client of each.
    ///
    /// # Errors
    /// Fails with one sentence when the machine has no usable certificate store.
    pub fn clients(&self) -> Result<Vec<Arc<dyn Witness>>, String> {
        self.0
            .iter()
            .cloned()
            .map(|witness| HttpWitness::new(witness).map(|client| Arc::new(client) as _))
            .collect()
    }
}

/// The reason why a text does not list witnesses. It names the entry, and not what it holds, since
/// a URL may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWitnesses {
    /// More than the limit.
    #[error("held {0} witnesses; it wants {MAX_WITNESSES} at most")]
    TooMany(usize),
    /// One entry.
    #[error(
        "held as number {number} {entry}; it wants <verifier key> <url> of each witness once, separated by \
         commas"
    )]
    Entry {
        /// From 1.
        number: usize,
        /// The fault.
        entry: NotAWitness,
    },
}

impl FromStr for Witnesses {
    type Err = NotWitnesses;

    fn from_str(text: &str) -> Result<Self, NotWitnesses> {
        let mut witnesses = Vec::<WitnessEndpoint>::new();
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for (number, entry) in (1..).zip(entries) {
            let witness = entry.parse::<WitnessEndpoint>().and_then(|witness| {
                let known = |other: &WitnessEndpoint| other.key.public_key() == witness.key.public_key();
                if witnesses.iter().any(known) { Err(NotAWitness::Twice) } else { Ok(witness) }
            });
            witnesses.push(witness.map_err(|entry| NotWitnesses::Entry { number, entry })?);
        }
        if witnesses.len() > MAX_WITNESSES {
            Err(NotWitnesses::TooMany(witnesses.len()))
        } else {
            Ok(Self(witnesses))
        }
    }
}

impl fmt::Display for Witnesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, WitnessEndpoint { key, url }) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{key} {url}")?;
        }
        Ok(())
    }
}
