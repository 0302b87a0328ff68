//! Everything that states a root for a size, compared with the tree that the entries make.

use kernel::{clock::Timestamp, error::Result};
use signed_note::Signature;

use super::{batch::Batch, finding::Finding, run::Run};
use crate::format::{
    cosignature::{NotCosigned, WitnessKey},
    note::checkpoint_text,
};

impl Run<'_> {
    /// Compares everything that states a root for this size. `at` is the time of the last entry.
    pub(super) fn roots(&mut self, batch: &mut Batch, size: u64, at: Timestamp) -> Result<()> {
        let Some((tree, _)) = &self.tree else { return Ok(()) };
        let here = size.cast_signed();
        while let Some(checkpoint) = batch.checkpoints.next_if(|checkpoint| checkpoint.size == here) {
            self.checkpoint = size;
            if checkpoint.root != tree.root()?.0 {
                self.report.found(Finding::CheckpointRoot { size });
            }
            if checkpoint.at != at {
                self.report.found(Finding::CheckpointTime { size });
            }
        }
        if size == self.size && self.checkpoint != size {
            self.report.found(Finding::CheckpointMissing { size });
        }
        while let Some(row) = batch.cosignatures.next_if(|row| row.size == here) {
            let body = checkpoint_text(&self.origin, size, tree.root()?)?;
            let witness = row.witness;
            match verify(self.witnesses, &body, &row.line) {
                Ok(()) => {}
                Err(NotCosigned::OtherKey) => {
                    let unknown = "were not verified: its key is not known";
                    self.report.note(format!("the cosignatures of {witness} {unknown}"));
                }
                Err(why) => {
                    let why = why.to_string();
                    self.report.found(Finding::Cosignature { size, witness, why });
                }
            }
        }
        self.published.compare(size, tree.root()?, &mut self.report);
        while let Some(known) = self.against.pop_if(|known| known.size == size) {
            if known.root != tree.root()? {
                self.report.found(Finding::OtherThanSigned { size });
            }
        }
        Ok(())
    }
}

/// Verifies a line under the key that it was made with, if that key is known.
fn verify(witnesses: &[WitnessKey], body: &str, line: &str) -> Result<(), NotCosigned> {
    Signature::from_bytes(line.as_bytes()).map_err(|_| NotCosigned::Form)?;
    let verified = witnesses.iter().map(|witness| witness.verify(body, line).map(drop));
    let mut verified = verified.filter(|verified| *verified != Err(NotCosigned::OtherKey));
    verified.next().unwrap_or(Err(NotCosigned::OtherKey))
}
