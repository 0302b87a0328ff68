//! What the meta-log has of a log: its heads as they were published, and witnessed. Whoever rewrites a log and all that is kept beside it would have to rewrite
//! that one too, which witnesses cosign.

use std::collections::VecDeque;

use serde::Deserialize;
use tlog_tiles::Hash;

use super::{Finding, Report, read, store};
use crate::{Vault, publish::META, store::unsigned};
use kernel::{crypto::decode_base64, db::Caller, error::Result};

/// How many heads one transaction reads.
const PAGE: i64 = 4_096;

/// The heads of one log, in the order of the meta-log.
#[derive(Default)]
pub(super) struct Published {
    /// What the meta-log calls it.
    name: String,
    /// The last entry of the meta-log that was read.
    after: i64,
    is_read: bool,
    heads: VecDeque<Head>,
}

struct Head {
    /// Of the meta-log's entry.
    index: u64,
    size: u64,
    root: Hash,
}

/// The payload of a head's entry.
#[derive(Deserialize)]
struct Payload {
    size: u64,
    root: String,
}

impl Published {
    pub(super) fn of(name: String) -> Self {
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
        let mut tx = vault.core.db.begin(Caller::Job(META)).await?;
        let rows = store::heads(&mut tx, META, &self.name, self.after, PAGE).await?;
        tx.commit().await?;
        self.is_read = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        for (index, entry) in rows {
            self.after = index;
            self.heads.extend(head(index, &entry)?);
        }
        Ok(())
    }

    /// Compares the heads of `size` with the root that the entries make. One that was passed already came after a larger one.
    pub(super) fn compare(&mut self, size: u64, root: Hash, report: &mut Report) {
        while let Some(head) = self.heads.pop_front_if(|head| head.size <= size) {
            if head.size < size {
                report.found(Finding::PublishedBackwards { size: head.size, entry: head.index });
            } else if head.root != root {
                report.found(Finding::OtherThanPublished { size, entry: head.index });
            }
        }
    }

    /// Of the heads that were not compared, the largest size, and the meta-log's entry that has it.
    pub(super) async fn largest(mut self, vault: &Vault) -> Result<Option<(u64, u64)>> {
        let mut largest = None;
        loop {
            let heads = self.heads.drain(..).map(|head| (head.size, head.index));
            largest = largest.max(heads.max_by_key(|(size, _)| *size));
            if self.is_read {
                return Ok(largest);
            }
            self.read_page(vault).await?;
        }
    }
}

/// A head that cannot be read is named by the check of the meta-log itself.
fn head(index: i64, entry: &[u8]) -> Result<Option<Head>> {
    let index = unsigned(index)?;
    let payload = read(entry).ok().and_then(|entry| serde_json::from_str::<Payload>(entry.payload.get()).ok());
    Ok(payload.and_then(|payload| {
        let root = decode_base64(&payload.root)?.try_into().ok()?;
        Some(Head { index, size: payload.size, root: Hash(root) })
    }))
}
