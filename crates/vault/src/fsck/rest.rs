//! Rows that belong to no entry: the head, and rows beyond it.

use kernel::error::Result;
use serde_json::json;

use super::{
    finding::Finding,
    model::HeadRow,
    run::{Run, begin},
    store, tags,
};
use crate::{
    convert::{hashes, unsigned},
    store::heads,
};

impl Run<'_> {
    /// Compares the head with the tree that the entries make.
    pub(super) fn compare_head(&mut self, head: Option<&HeadRow>) -> Result<()> {
        let (Some(head), Some((tree, _))) = (head, &self.tree) else { return Ok(()) };
        if hashes(&head.edge).ok() != Some(tree.edge()?) {
            self.report.found(Finding::HeadEdge { size: self.size });
        }
        if self.at.is_some_and(|at| at != head.at) {
            self.report.found(Finding::HeadTime);
        }
        let counted = json!(self.verdicts);
        if counted != head.verdicts {
            let finding =
                Finding::HeadVerdicts { has: head.verdicts.to_string(), wants: counted.to_string() };
            self.report.found(finding);
        }
        Ok(())
    }

    /// Compares the rows that belong to no entry.
    pub(super) async fn compare_rest(&mut self, has_head: bool) -> Result<()> {
        // Before the head is read: a head that is published later does not concern this check.
        let published = std::mem::take(&mut self.published).largest(self.vault).await?;
        let mut tx = begin(self.vault, self.project).await?;
        let beyond = store::log::beyond(&mut tx, self.project).await?;
        if !has_head && !beyond.is_empty() {
            self.report.found(Finding::HeadMissing);
        }
        for (table, from) in beyond {
            self.report.found(Finding::Beyond { table, from: unsigned(from)? });
        }
        tags::compare(&mut tx, self.project, self.size, self.tags, &mut self.report).await?;
        let now = unsigned(store::log::head(&mut tx, self.project).await?.map_or(0, |head| head.size))?;
        let last = heads::last_check(&mut tx, self.project).await?.unwrap_or_default();
        if let (Some(was), Some(at)) = (last.size.map(unsigned).transpose()?, last.at)
            && was > now
        {
            self.report.found(Finding::Shrunk { was, at });
        }
        if let Some(head) = published
            && head.size > now
        {
            let (published, entry) = (head.size, head.entry);
            self.report.found(Finding::SmallerThanPublished { size: now, published, entry });
        }
        Ok(tx.commit().await?)
    }
}
