//! The vault: an append-only record of decisions, in Merkle trees that a stranger can check (RFC
//! 6962; C2SP tlog-tiles, tlog-checkpoint, tlog-proof).
//!
//! Each project has one log. A seal becomes an entry, canonical JSON whose bytes are hashed, stored
//! and served as they are. The answer carries a signed checkpoint, and the proof that the entry is
//! in the tree that the checkpoint states. The entries of the meta-log are the heads of all logs;
//! witnesses watch it.
//!
//! ```text
//! seal ─check─▶ Draft ─queue─▶ batch: lock the head ▸ index, time, leaf
//!     ▸ entries, tiles, checkpoint, head ▸ commit ▸ sign ─▶ receipt
//! ```

mod append;
mod audit;
mod convert;
mod draft;
mod erase;
mod errors;
mod guard;
mod keyed_lock;
mod ledger;
mod log;
mod model;
mod personal;
mod proposals;
mod prove;
mod publish;
mod rewrap;
mod seals;
mod store;
mod vault;
mod verify;
mod witnesses;

pub mod format;
pub mod fsck;
pub mod jobs;
pub mod outbox;

pub use append::{APPEND_ERRORS, APPEND_ONE_ERRORS, Appender};
pub use audit::{digest_all, digest_project};
pub use erase::{ERASE_ERRORS, erase};
pub use format::note::{VaultKeyRing, VaultKeysKind};
pub use log::{CHECKPOINT_ERRORS, LOG_ERRORS, checkpoint, log};
pub use model::{
    Consistency, Counts, Decision, Filter, Head, Inclusion, Log, MAX_ENTRY, MAX_PAYLOAD, MAX_SEALS, NewSeal,
    NewSeals, PersonalData, Proposal, ProposalFilter, Reason, Seal, SealInFull, Sealed, SealedBatch,
    SealedOne, Tag, Tally, Verdict, Verification, Witnessed,
};
pub use personal::{KekKind, KekRing};
pub use proposals::{DECIDE_ERRORS, PROPOSAL_ERRORS, PROPOSALS_ERRORS, decide, expire, proposal, proposals};
pub use prove::{PROOF_ERRORS, RECEIPT_ERRORS, TILE_ERRORS, bundle, consistency, inclusion, receipt, tile};
pub use publish::{Published, publish};
pub use rewrap::{Rewrapped, rewrap};
pub use seals::{COUNT_ERRORS, GET_ERRORS, LIST_ERRORS, count, get, list};
pub use tlog_tiles::Hash;
pub use vault::Vault;
pub use verify::{VERIFY_ERRORS, verify};
pub use witnesses::{WITNESSED_ERRORS, Witness, WitnessAnswer, cosign, uncosigned_seconds, witnessed};
