//! The result of checking a log.

use std::{
    collections::{BTreeSet, HashMap},
    mem::{Discriminant, discriminant},
};

use kernel::{ids::LogId, text::excerpt};
use serde::Serialize;

use super::{about::About, finding::Finding};

/// The most findings that are kept, and the most of one sort: one damage often shows in many
/// places, and must not hide another.
const MAX_FINDINGS: usize = 100;
const MAX_OF_A_SORT: u64 = 20;
/// The most notes that are kept.
const MAX_NOTES: usize = 20;

/// The result of checking a log.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The log.
    pub log: LogId,
    /// The number of entries when the check began: those were checked.
    pub size: u64,
    /// The first findings, of each sort.
    pub findings: Vec<Finding>,
    /// The number of findings in all.
    pub count: u64,
    /// Notes that are worth knowing and report nothing wrong.
    pub notes: BTreeSet<String>,
    #[serde(skip)]
    sorts: HashMap<Discriminant<Finding>, u64>,
}

impl Report {
    pub(super) fn new(log: LogId, size: u64) -> Self {
        let (findings, notes) = (Vec::new(), BTreeSet::new());
        Self { log, size, findings, count: 0, notes, sorts: HashMap::new() }
    }

    /// Adds a finding.
    pub(super) fn found(&mut self, finding: Finding) {
        self.count += 1;
        let sort = self.sorts.entry(discriminant(&finding)).or_default();
        *sort += 1;
        if *sort <= MAX_OF_A_SORT && self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Adds a note.
    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.insert(note);
        }
    }

    /// Returns true when nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.count == 0
    }

    /// Returns what is wrong, in a sentence; `None` when nothing is.
    pub fn summary(&self) -> Option<String> {
        let first = excerpt(&self.findings.first()?.to_string(), 1_000);
        Some(match self.count - 1 {
            0 => first,
            more => format!("{first}; and {more} findings more"),
        })
    }

    /// Returns the subjects of the findings, each once.
    pub fn about(&self) -> BTreeSet<About> {
        self.findings.iter().map(Finding::about).collect()
    }
}
