//! What a check of a log can find, each in a sentence, and what is to be done about it.

use serde::Serialize;

use kernel::clock::Timestamp;

/// Something that is not as the entries say, or an entry that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// Rows are gone.
    #[error(
        "{count} entries are missing from index {first} on; what comes after them cannot be compared with tiles and checkpoints"
    )]
    EntriesMissing {
        /// The first that is.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Two rows of one index.
    #[error("entry {index} is there twice")]
    EntryTwice {
        /// Of both.
        index: u64,
    },
    /// Bytes that were never sealed.
    #[error("entry {index} was changed: it is not the canonical JSON of an entry ({why})")]
    EntryUnreadable {
        /// Where.
        index: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The bytes state another index.
    #[error("entry {index} was moved: it says that it is entry {says}")]
    EntryMoved {
        /// Where it stands.
        index: u64,
        /// Where it should.
        says: u64,
    },
    /// The bytes have another digest than the one beside them.
    #[error("entry {index} is not what its leaf hash is of: one of the two was changed")]
    LeafHash {
        /// Where.
        index: u64,
    },
    /// Time goes back.
    #[error("entry {index} is older than the one before it")]
    TimeWentBack {
        /// The younger one's.
        index: u64,
    },
    /// A column that seals are found by.
    #[error("the column `{column}` of entry {index} is not what the entry says")]
    Column {
        /// Where.
        index: u64,
        /// Which.
        column: &'static str,
    },
    /// The entry has it, the list has not.
    #[error("entry {index} is not found by its tag `{tag}`: the row of vault_tags is missing")]
    TagMissing {
        /// Where.
        index: u64,
        /// Which.
        tag: String,
    },
    /// The list has it, the entry has not.
    #[error("entry {index} is found by the tag `{tag}`, which it does not have: the row of vault_tags is surplus")]
    TagSurplus {
        /// Where.
        index: u64,
        /// Which.
        tag: String,
    },
    /// A checkpoint of another tree.
    #[error(
        "the checkpoint of size {size} has another root than the entries: entries below {size} or the checkpoint were changed"
    )]
    CheckpointRoot {
        /// Of the checkpoint.
        size: u64,
    },
    /// A checkpoint of another time.
    #[error("the checkpoint of size {size} has another time than its last entry")]
    CheckpointTime {
        /// Of the checkpoint.
        size: u64,
    },
    /// The log was committed at that size, and nothing says so.
    #[error("the checkpoint of size {size} is missing")]
    CheckpointMissing {
        /// Of the checkpoint.
        size: u64,
    },
    /// No row in vault_logs.
    #[error("the log has rows and no head: its row of vault_logs is missing")]
    HeadMissing,
    /// The head would not go on from these entries.
    #[error(
        "the head's edge at size {size} is not that of the entries: what is appended next would continue another tree"
    )]
    HeadEdge {
        /// Of the log.
        size: u64,
    },
    /// The head counts other verdicts.
    #[error("the head counts the verdicts {has}, and the entries have {wants}")]
    HeadVerdicts {
        /// What it counts.
        has: String,
        /// What there are.
        wants: String,
    },
    /// The head has another time.
    #[error("the head has another time than the last entry")]
    HeadTime,
    /// What the head does not cover.
    #[error(
        "{table} has rows from {from} on, beyond the head of the log: the head was set back, or they were never appended"
    )]
    Beyond {
        /// In which table.
        table: String,
        /// The first index, size or tile.
        from: u64,
    },
    /// The last check saw more.
    #[error(
        "the log is smaller than when it was last checked: it had {was} entries at {at}; it was rolled back, or restored from an older backup"
    )]
    Shrunk {
        /// How many it had.
        was: u64,
        /// Then.
        at: Timestamp,
    },
    /// No row.
    #[error("tile {level}/{n} is missing")]
    TileMissing {
        /// From 0, of the entries.
        level: u8,
        /// From the left.
        n: u64,
    },
    /// Other hashes.
    #[error("tile {level}/{n} is not that of the entries: its hash {at} is another")]
    TileHashes {
        /// From 0, of the entries.
        level: u8,
        /// From the left.
        n: u64,
        /// The first that is another.
        at: usize,
    },
    /// Another root.
    #[error("the root of tile {level}/{n} is not that of its hashes")]
    TileRoot {
        /// From 0, of the entries.
        level: u8,
        /// From the left.
        n: u64,
    },
    /// A witness signed something else.
    #[error("the cosignature of {witness} on size {size} is not over this tree: {why}")]
    Cosignature {
        /// Of the checkpoint.
        size: u64,
        /// Whose.
        witness: String,
        /// Why.
        why: String,
    },
    /// Personal data that is not what was sealed.
    #[error("the personal data of entry {index} is not what was sealed: it has another digest")]
    PersonalDigest {
        /// Where.
        index: u64,
    },
    /// Personal data that does not open.
    #[error(
        "the personal data of entry {index} cannot be opened: it or its subject's key was changed, or VAULT_KEK lacks a key"
    )]
    PersonalUnreadable {
        /// Where.
        index: u64,
    },
    /// Personal data that is gone.
    #[error("the personal data of entry {index} is gone, and no later entry says that its subject was erased")]
    PersonalMissing {
        /// Where.
        index: u64,
    },
    /// Personal data that was erased.
    #[error(
        "the personal data of entry {index} is there again, though entry {erased} says that its subject was erased: erase it once more"
    )]
    PersonalBack {
        /// Where.
        index: u64,
        /// The entry that says so.
        erased: u64,
    },
    /// Personal data of an entry that has none.
    #[error("there is personal data for entry {index}, which does not have any")]
    PersonalSurplus {
        /// Where.
        index: u64,
    },
    /// Personal data of somebody else.
    #[error(
        "the personal data of entry {index} is kept under another subject than the entry's: erasing that one would miss it"
    )]
    PersonalSubject {
        /// Where.
        index: u64,
    },
    /// A proposal that nobody sees.
    #[error("entry {index} is a proposal, and is not on the list of proposals")]
    ProposalMissing {
        /// Where.
        index: u64,
    },
    /// A proposal that is none.
    #[error("entry {index} is on the list of proposals, and is none")]
    ProposalSurplus {
        /// Where.
        index: u64,
    },
    /// The list and the log disagree.
    #[error("the proposal {index} {why}")]
    ProposalDecision {
        /// The proposal's.
        index: u64,
        /// How.
        why: String,
    },
    /// The meta-log has more.
    #[error(
        "the log is smaller than entry {entry} of the meta-log says: it has {size} entries, and had {published}; it was rolled back, or restored from an older backup"
    )]
    SmallerThanPublished {
        /// Of the log.
        size: u64,
        /// Then.
        published: u64,
        /// Of the meta-log.
        entry: u64,
    },
    /// The meta-log has another tree.
    #[error(
        "the log has another root at size {size} than entry {entry} of the meta-log says: entries below {size} were replaced since"
    )]
    OtherThanPublished {
        /// Of both.
        size: u64,
        /// Of the meta-log.
        entry: u64,
    },
    /// The meta-log has a smaller one after a larger one.
    #[error(
        "entry {entry} of the meta-log has the log at size {size}, after it had been larger: it was rolled back then"
    )]
    PublishedBackwards {
        /// Then.
        size: u64,
        /// Of the meta-log.
        entry: u64,
    },
    /// The list would have it decided sooner or later than was sealed.
    #[error("the proposal {index} ends at another time on the list than its entry says")]
    ProposalExpiry {
        /// The proposal's.
        index: u64,
    },
    /// Events of the audit log that are not as they were digested.
    #[error(
        "the audit log is not as entry {index} has it: events were changed, removed or added since (it had {sealed}, and has {now} there)"
    )]
    AuditChanged {
        /// Of the digest's seal.
        index: u64,
        /// How many events were digested.
        sealed: u64,
        /// How many there are now, counted to one more.
        now: u64,
    },
    /// Events that no digest is of.
    #[error(
        "entry {index} does not digest the audit log from where the digest before it ended: the row of vault_progress was changed"
    )]
    AuditSkipped {
        /// Of the digest's seal.
        index: u64,
    },
    /// A signed checkpoint is larger than the log.
    #[error(
        "the log is smaller than a checkpoint that was signed: it has {size} entries, and had {signed}; it was rolled back, or restored from an older backup"
    )]
    SmallerThanSigned {
        /// Of the log.
        size: u64,
        /// Of the checkpoint.
        signed: u64,
    },
    /// A signed checkpoint is of another tree.
    #[error(
        "the log has another root at size {size} than a checkpoint that was signed: entries below {size} were replaced since"
    )]
    OtherThanSigned {
        /// Of the checkpoint.
        size: u64,
    },
}

/// What a finding is about, and so what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// What was sealed, or what was said of it to others.
    Log,
    /// What is kept beside the entries and follows from them.
    Lists,
    /// What can be erased.
    Personal,
    /// The audit log, of which the log has digests.
    Audit,
}

impl About {
    /// What to do.
    pub fn advice(self) -> &'static str {
        match self {
            About::Log => {
                "The log is not what was sealed. Keep a copy of the database as it is, let nobody write to it, and compare with a backup and with receipts."
            }
            About::Lists => {
                "What follows from the entries is wrong. Where nothing is wrong with the log itself, it can be made anew from them; until then searches or proofs fail."
            }
            About::Audit => {
                "The audit log is not what was digested into the log. Keep a copy of the database as it is, and compare audit_events with a backup."
            }
            About::Personal => {
                "Personal data is wrong. The log is not touched by that: look for the data, or for VAULT_KEK's older keys, in a backup."
            }
        }
    }
}

impl Finding {
    /// What it is about.
    pub fn about(&self) -> About {
        match self {
            Finding::Column { .. }
            | Finding::TagMissing { .. }
            | Finding::TagSurplus { .. }
            | Finding::HeadVerdicts { .. }
            | Finding::TileMissing { .. }
            | Finding::TileHashes { .. }
            | Finding::TileRoot { .. }
            | Finding::ProposalMissing { .. }
            | Finding::ProposalSurplus { .. }
            | Finding::ProposalDecision { .. }
            | Finding::ProposalExpiry { .. } => About::Lists,
            Finding::PersonalDigest { .. }
            | Finding::PersonalUnreadable { .. }
            | Finding::PersonalMissing { .. }
            | Finding::PersonalBack { .. }
            | Finding::PersonalSurplus { .. }
            | Finding::PersonalSubject { .. } => About::Personal,
            Finding::AuditChanged { .. } | Finding::AuditSkipped { .. } => About::Audit,
            _ => About::Log,
        }
    }
}
