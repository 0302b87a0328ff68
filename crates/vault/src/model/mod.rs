//! Types that cross the wire or name a row. Stores import nothing else of the vault.

mod append;
mod entry;
mod log;
mod new_seal;
mod proof;
mod proposal;
mod row;
mod seal;
mod sealed;
mod verdict;

pub(crate) use append::{
    Advance, Commit, LockedHead, NewEntry, NewPayload, NewProposal, NewTile, Rewrap, WrappedKey,
};
pub(crate) use entry::{AuditDigest, Entry, LOG_HEAD, LOG_KEYS, META, PublishedHead, SUBJECT_ERASED};
pub use log::{Head, Log, Witnessed};
pub use new_seal::{MAX_ENTRY, MAX_PAYLOAD, MAX_SEALS, NewSeal, NewSeals, Tag};
pub use proof::{Consistency, Inclusion, Verification};
pub use proposal::{Decision, Proposal, ProposalFilter, Reason};
pub(crate) use row::{EncryptedPersonal, LastCheck, OutboxRow, ProposalRow, SealRow, Tile, UnpublishedHead};
pub use seal::{Counts, Filter, PersonalData, Seal, SealInFull, Tally};
pub(crate) use sealed::{Appended, ProvedSeal};
pub use sealed::{Sealed, SealedBatch, SealedOne};
pub use verdict::Verdict;
