//! Seals that were appended, with their proofs.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kernel::{
    answer::Resource,
    clock::Timestamp,
    crypto::{base64, hex},
    error::{Error, Result},
    ids::LogId,
};
use serde::{Deserialize, Serialize};
use tlog_tiles::{Hash, RecordProof};
use utoipa::ToSchema;

/// A seal that was appended, with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sealed {
    /// The project's log.
    pub log: LogId,
    /// The seal's place in the log.
    #[schema(minimum = 0)]
    pub index: u64,
    /// When it was sealed.
    pub at: DateTime<Utc>,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    pub leaf_hash: String,
    /// The size of the tree that the checkpoint states.
    #[schema(minimum = 1)]
    pub size: u64,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    #[schema(max_length = 16384)]
    pub checkpoint: String,
    /// The hashes beside the path from the leaf to the checkpoint's root, the leaf's sibling first,
    /// in base64 (RFC 6962, section 2.1.1).
    pub inclusion_proof: Vec<String>,
}

impl Resource for Sealed {
    const LOCATED: bool = true;

    fn location(&self) -> Option<String> {
        Some(format!("/v1/vault/seals/{}", self.index))
    }
}

/// One of several seals that were appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedOne {
    /// The seal's place in the log.
    #[schema(minimum = 0)]
    pub index: u64,
    /// When it was sealed.
    pub at: DateTime<Utc>,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    pub leaf_hash: String,
    /// The hashes beside the path from the leaf to the checkpoint's root, the leaf's sibling first,
    /// in base64.
    pub inclusion_proof: Vec<String>,
}

/// Seals that were appended, with their proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedBatch {
    /// The project's log.
    pub log: LogId,
    /// The size of the tree that the checkpoint states.
    #[schema(minimum = 1)]
    pub size: u64,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    #[schema(max_length = 16384)]
    pub checkpoint: String,
    /// The seals, in the order of the request.
    pub seals: Vec<SealedOne>,
}

impl Resource for SealedBatch {}

/// Seals of one request that were committed, proved in the tree of one checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct Appended {
    pub(crate) log: LogId,
    pub(crate) at: Timestamp,
    /// The size of the tree that the checkpoint states and the proofs lead to.
    pub(crate) size: u64,
    /// The signed checkpoint.
    pub(crate) checkpoint: Arc<str>,
    /// The seals in the order of the request.
    pub(crate) seals: Vec<ProvedSeal>,
}

/// A seal's place in the log, and its proof.
#[derive(Debug, Clone)]
pub(crate) struct ProvedSeal {
    pub(crate) index: u64,
    /// SHA-256 over 0x00 and the entry.
    pub(crate) leaf: Hash,
    pub(crate) proof: RecordProof,
}

impl Appended {
    /// Returns the answer to a request for several seals.
    pub(crate) fn batch(&self) -> SealedBatch {
        let (log, size, checkpoint) = (self.log, self.size, self.checkpoint.to_string());
        SealedBatch {
            log,
            size,
            checkpoint,
            seals: self.seals.iter().map(|seal| self.sealed(seal)).collect(),
        }
    }

    /// Returns the answer to a request for the one seal that it holds.
    ///
    /// # Errors
    /// `Internal` when it holds none.
    pub(crate) fn one(&self) -> Result<Sealed> {
        let seal = self.seals.first().ok_or_else(|| Error::internal("nothing was sealed"))?;
        let SealedOne { index, at, leaf_hash, inclusion_proof } = self.sealed(seal);
        let (log, size, checkpoint) = (self.log, self.size, self.checkpoint.to_string());
        Ok(Sealed { log, index, at, leaf_hash, size, checkpoint, inclusion_proof })
    }

    fn sealed(&self, seal: &ProvedSeal) -> SealedOne {
        SealedOne {
            index: seal.index,
            at: self.at,
            leaf_hash: hex(&seal.leaf.0),
            inclusion_proof: seal.proof.iter().map(|hash| base64(&hash.0)).collect(),
        }
    }
}
