//! Work in batches, so that no transaction is long, however many rows are due.

/// Counts the batches of one run; the rows that are left wait for the next run.
#[derive(Debug)]
pub(super) struct Batches {
    /// The rows of a batch.
    pub(super) size: i64,
    left: u16,
}

impl Batches {
    /// Plans at most `most` batches of `size` rows.
    pub(super) fn new(size: u16, most: u16) -> Self {
        Self { size: size.into(), left: most }
    }

    /// Returns true when another batch follows one of `done` rows.
    pub(super) fn goes_on(&mut self, done: u64) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0 && done >= self.size.unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_with_a_batch_that_is_not_full_or_the_last() {
        let mut batches = Batches::new(10, 3);
        assert!(batches.goes_on(10) && !batches.goes_on(9));
        let mut batches = Batches::new(10, 3);
        assert!(batches.goes_on(10) && batches.goes_on(10) && !batches.goes_on(10));
    }
}
