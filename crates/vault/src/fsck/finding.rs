//! The findings of a check, each in a sentence.

use kernel::clock::Timestamp;
use serde::Serialize;

/// A row that is not as the entries say, or an entry that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "finding", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the sentence of each says what its fields are")]
pub enum Finding {
    /// Rows are gone.
    #[error(
        "{count} entries are missing from index {first} on; \
         what follows them cannot be compared with tiles and checkpoints"
    )]
    EntriesMissing { first: u64, count: u64 },
    /// Two rows have one index.
    #[error("entry {index} is there twice")]
    EntryTwice { index: u64 },
    /// The bytes were never sealed.
    #[error("entry {index} was changed: it is not the canonical JSON of an entry ({why})")]
    EntryUnreadable { index: u64, why: String },
    /// The bytes state another index.
    #[error("entry {index} was moved: it says that it is entry {says}")]
    EntryMoved { index: u64, says: u64 },
    /// The bytes have another digest than the one beside them.
    #[error("entry {index} does not match its leaf hash: one of the two was changed")]
    LeafHash { index: u64 },
    /// Time goes back.
    #[error("entry {index} is older than the one before it")]
    TimeWentBack { index: u64 },
    /// A column that seals are found by differs from the entry.
    #[error("the column `{column}` of entry {index} is not what the entry says")]
    Column { index: u64, column: &'static str },
    /// The entry has a tag that the list lacks.
    #[error("entry {index} is not found by its tag `{tag}`: the row of vault_tags is missing")]
    TagMissing { index: u64, tag: String },
    /// The list has a tag that the entry lacks.
    #[error(
        "entry {index} is found by the tag `{tag}`, which it does not have: the row of vault_tags is surplus"
    )]
    TagSurplus { index: u64, tag: String },
    /// A checkpoint states another tree.
    #[error(
        "the checkpoint of size {size} has another root than the entries: \
         entries below {size} or the checkpoint were changed"
    )]
    CheckpointRoot { size: u64 },
    /// A checkpoint has another time.
    #[error("the checkpoint of size {size} has another time than its last entry")]
    CheckpointTime { size: u64 },
    /// The log was committed at that size, and no row says so.
    #[error("the checkpoint of size {size} is missing")]
    CheckpointMissing { size: u64 },
    /// The log has no row in vault_logs.
    #[error("the log has rows and no head: its row of vault_logs is missing")]
    HeadMissing,
    /// The head would not go on from these entries.
    #[error(
        "the head's edge at size {size} is not that of the entries: \
         what is appended next would continue another tree"
    )]
    HeadEdge { size: u64 },
    /// The head counts other verdicts.
    #[error("the head counts the verdicts {has}, and the entries have {wants}")]
    HeadVerdicts { has: String, wants: String },
    /// The head has another time.
    #[error("the head has another time than the last entry")]
    HeadTime,
    /// The head does not cover some rows.
    #[error(
        "{table} has rows from {from} on, beyond the head of the log: \
         the head was set back, or they were never appended"
    )]
    Beyond { table: String, from: u64 },
    /// The last check saw more entries.
    #[error(
        "the log is smaller than when it was last checked: it had {was} entries at {at}; \
         it was rolled back, or restored from an older backup"
    )]
    Shrunk { was: u64, at: Timestamp },
    /// A full tile has no row.
    #[error("tile {level}/{n} is missing")]
    TileMissing { level: u8, n: u64 },
    /// A tile has other hashes.
    #[error("tile {level}/{n} is not that of the entries: its hash {at} is another")]
    TileHashes { level: u8, n: u64, at: usize },
    /// A tile has another root.
    #[error("the root of tile {level}/{n} is not that of its hashes")]
    TileRoot { level: u8, n: u64 },
    /// A witness signed something else.
    #[error("the cosignature of {witness} on size {size} is not over this tree: {why}")]
    Cosignature { size: u64, witness: String, why: String },
    /// Personal data differs from what was sealed.
    #[error("the personal data of entry {index} is not what was sealed: it has another digest")]
    PersonalDigest { index: u64 },
    /// Personal data does not decrypt.
    #[error(
        "the personal data of entry {index} cannot be decrypted: \
         it or its subject's key was changed, or VAULT_KEK lacks a key"
    )]
    PersonalUnreadable { index: u64 },
    /// Personal data is gone.
    #[error(
        "the personal data of entry {index} is gone, and no later entry says that its subject was erased"
    )]
    PersonalMissing { index: u64 },
    /// Personal data was erased, and came back.
    #[error(
        "the personal data of entry {index} is there again, though entry {erased} says that its subject \
         was erased: erase it once more"
    )]
    PersonalBack { index: u64, erased: u64 },
    /// An entry without personal data has some.
    #[error("there is personal data for entry {index}, which does not have any")]
    PersonalSurplus { index: u64 },
    /// Personal data is stored under somebody else.
    #[error(
        "the personal data of entry {index} is stored under another subject than the entry's: \
         erasing that one would miss it"
    )]
    PersonalSubject { index: u64 },
    /// A proposal is not on the list.
    #[error("entry {index} is a proposal, and is not on the list of proposals")]
    ProposalMissing { index: u64 },
    /// The list has a proposal that is none.
    #[error("entry {index} is on the list of proposals, and is not a proposal")]
    ProposalSurplus { index: u64 },
    /// The list and the log disagree about a decision.
    #[error("the proposal {index} {why}")]
    ProposalDecision { index: u64, why: String },
    /// The list has another end than the sealed one.
    #[error("the proposal {index} ends at another time on the list than its entry says")]
    ProposalExpiry { index: u64 },
    /// The meta-log has a larger head.
    #[error(
        "the log is smaller than entry {entry} of the meta-log says: it has {size} entries, and had \
         {published}; it was rolled back, or restored from an older backup"
    )]
    SmallerThanPublished { size: u64, published: u64, entry: u64 },
    /// The meta-log has another tree.
    #[error(
        "the log has another root at size {size} than entry {entry} of the meta-log says: \
         entries below {size} were replaced since"
    )]
    OtherThanPublished { size: u64, entry: u64 },
    /// The meta-log has a smaller head after a larger one.
    #[error(
        "entry {entry} of the meta-log has the log at size {size}, after it had been larger: \
         it was rolled back then"
    )]
    PublishedBackwards { size: u64, entry: u64 },
    /// Events of the audit log are not as they were digested. `now` is counted to one more than
    /// `sealed`.
    #[error(
        "the audit log is not as entry {index} has it: events were changed, removed or added since \
         (it had {sealed}, and has {now} there)"
    )]
    AuditChanged { index: u64, sealed: u64, now: u64 },
    /// Some events have no digest.
    #[error(
        "entry {index} does not digest the audit log from where the digest before it ended: \
         the row of vault_progress was changed"
    )]
    AuditSkipped { index: u64 },
    /// A signed checkpoint is larger than the log.
    #[error(
        "the log is smaller than a checkpoint that was signed: it has {size} entries, and had {signed}; \
         it was rolled back, or restored from an older backup"
    )]
    SmallerThanSigned { size: u64, signed: u64 },
    /// A signed checkpoint states another tree.
    #[error(
        "the log has another root at size {size} than a checkpoint that was signed: \
         entries below {size} were replaced since"
    )]
    OtherThanSigned { size: u64 },
}
