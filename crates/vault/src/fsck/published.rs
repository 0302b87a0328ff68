//! The heads of a log in the meta-log, as they were published and witnessed. An attacker who
//! rewrites a log and everything that is stored beside it would have to rewrite the meta-log too,
//! which witnesses cosign.

use std::collections::VecDeque;

use kernel::{DbScope, caller::Caller, crypto::decode_base64, error::Result};
use tlog_tiles::Hash;

use super::{finding::Finding, model::MetaRow, read::read, report::Report, store};
use crate::{
    convert::unsigned,
    model::{META, PublishedHead},
    vault::Vault,
};

/// The most heads that one transaction reads.
const PAGE: i64 = 4_096;

/// The heads of one log, in the order of the meta-log.
#[derive(Default)]
pub(super) struct Published {
    /// The log's name in the meta-log.
    name: String,
    /// The last entry of the meta-log that was read.
    after: i64,
    is_read: bool,
    heads: VecDeque<Head>,
}

/// A head that was published.
pub(super) struct Head {
    /// The index of its entry in the meta-log.
    pub(super) entry: u64,
    pub(super) size: u64,
    root: Hash,
}

impl Published {
    /// Creates a reader of the heads of the log of that name.
    pub(super) fn new(name: String) -> Self {
        Self { name, after: -1, is_read: false, heads: VecDeque::new() }
    }

    /// Reads on until there is a head beyond `size`, or none is left.
    pub(super) async fn read_to(&mut self, vault: &Vault, size: u64) -> Result<()> {
        while !self.is_read && self.heads.back().is_none_or(|head| head.size <= size) {
            self.read_page(vault).await?;
        }
        Ok(())
    }

    async fn read_page(&mut self, vault: &Vault) -> Result<()> {
        let job = Caller::system(DbScope::Job(META));
        let (name, after) = (self.name.as_str(), self.after);
        let read = vault.core.read(job, async |tx| Ok(store::progress::heads(tx, name, after, PAGE).await?));
        let rows = read.await?;
        self.is_read = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        for row in rows {
            self.after = row.index;
            self.heads.extend(head(&row)?);
        }
        Ok(())
    }

    /// Compares the heads of `size` with the root that the entries make. Reports a head of a
    /// smaller size that came after a larger one.
    pub(super) fn compare(&mut self, size: u64, root: Hash, report: &mut Report) {
        while let Some(head) = self.heads.pop_front_if(|head| head.size <= size) {
            if head.size < size {
                report.found(Finding::PublishedBackwards { size: head.size, entry: head.entry });
            } else if head.root != root {
                report.found(Finding::OtherThanPublished { size, entry: head.entry });
            }
        }
    }

    /// Returns the largest of the heads that were not compared.
    pub(super) async fn largest(mut self, vault: &Vault) -> Result<Option<Head>> {
        let mut largest: Option<Head> = None;
        loop {
            for head in self.heads.drain(..) {
                if largest.as_ref().is_none_or(|largest| largest.size <= head.size) {
                    largest = Some(head);
                }
            }
            if self.is_read {
                return Ok(largest);
            }
            self.read_page(vault).await?;
        }
    }
}

/// Reads a head. The check of the meta-log itself reports one that cannot be read.
fn head(row: &MetaRow) -> Result<Option<Head>> {
    let entry = unsigned(row.index)?;
    let head = |text: &str| {
        let PublishedHead { size, root } = serde_json::from_str(text).ok()?;
        Some(Head { entry, size, root: Hash(decode_base64(&root)?.try_into().ok()?) })
    };
    Ok(read(&row.entry).ok().and_then(|entry| head(entry.payload.get())))
}
