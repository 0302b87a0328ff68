//! What came of checking a log.

use std::{
    collections::{BTreeSet, HashMap},
    mem::{Discriminant, discriminant},
};

use serde::Serialize;

use super::finding::{About, Finding};
use kernel::{ids::LogId, text::excerpt};

/// How many findings are kept, and how many of one sort: one damage is often seen at many places, and must not hide another.
const KEPT: usize = 100;
const KEPT_OF_A_SORT: u64 = 20;
/// How many notes are kept.
const NOTES: usize = 20;

/// What came of checking a log.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Of which.
    pub log: LogId,
    /// How many entries it had when the check began: those were checked.
    pub size: u64,
    /// The first findings, of each sort.
    pub findings: Vec<Finding>,
    /// How many there are in all.
    pub count: u64,
    /// What is worth knowing and is nothing wrong.
    pub notes: BTreeSet<String>,
    #[serde(skip)]
    sorts: HashMap<Discriminant<Finding>, u64>,
}

impl Report {
    pub(super) fn new(log: LogId, size: u64) -> Self {
        Self { log, size, findings: Vec::new(), count: 0, notes: BTreeSet::new(), sorts: HashMap::new() }
    }

    pub(super) fn found(&mut self, finding: Finding) {
        self.count += 1;
        let sort = self.sorts.entry(discriminant(&finding)).or_default();
        *sort += 1;
        if *sort <= KEPT_OF_A_SORT && self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES {
            self.notes.insert(note);
        }
    }

    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.count == 0
    }

    /// In a sentence what is wrong; none when nothing is.
    pub fn summary(&self) -> Option<String> {
        let first = excerpt(&self.findings.first()?.to_string(), 1_000);
        Some(match self.count - 1 {
            0 => first,
            more => format!("{first}; and {more} findings more"),
        })
    }

    /// What the findings are about, each once.
    pub fn about(&self) -> BTreeSet<About> {
        self.findings.iter().map(Finding::about).collect()
    }
}
