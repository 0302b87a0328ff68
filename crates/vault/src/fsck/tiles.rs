//! The full tiles that the entries make, against those that are stored.

use std::collections::HashMap;

use sqlx::PgConnection;
use tlog_tiles::Hash;

use super::{super::prove::subtree, finding::Finding, report::Report, store};
use crate::tree::TILE_WIDTH;
use kernel::{error::Result, ids::ProjectId};

/// How many tiles one statement reads.
const AT_A_TIME: usize = 64;

/// The tiles that are being filled, by level, and those that were since they were last compared.
#[derive(Default)]
pub(super) struct Tiles {
    levels: Vec<Level>,
    full: Vec<Full>,
}

#[derive(Default)]
struct Level {
    /// How many were filled.
    n: u64,
    hashes: Vec<Hash>,
}

struct Full {
    level: u8,
    n: u64,
    root: Hash,
    hashes: Vec<Hash>,
}

impl Tiles {
    /// Adds a leaf.
    pub(super) fn push(&mut self, leaf: Hash) -> Result<()> {
        let mut hash = leaf;
        for number in 0.. {
            if self.levels.len() == usize::from(number) {
                self.levels.push(Level::default());
            }
            let Some(level) = self.levels.get_mut(usize::from(number)) else { break };
            level.hashes.push(hash);
            if (level.hashes.len() as u64) < TILE_WIDTH {
                break;
            }
            let hashes = std::mem::take(&mut level.hashes);
            hash = subtree(&hashes)?;
            self.full.push(Full { level: number, n: level.n, root: hash, hashes });
            level.n += 1;
        }
        Ok(())
    }

    /// Compares the tiles that were filled since the last time.
    pub(super) async fn compare(
        &mut self,
        tx: &mut PgConnection,
        project: ProjectId,
        report: &mut Report,
    ) -> Result<()> {
        let full = std::mem::take(&mut self.full);
        for full in full.chunks(AT_A_TIME) {
            let wanted: Vec<(u8, u64)> = full.iter().map(|tile| (tile.level, tile.n)).collect();
            let rows = store::tiles(tx, project, &wanted).await?;
            let stored: HashMap<(i16, i64), (Vec<u8>, Vec<u8>)> =
                rows.into_iter().map(|(level, n, root, hashes)| ((level, n), (root, hashes))).collect();
            for tile in full {
                let (level, n) = (tile.level, tile.n);
                match stored.get(&(i16::from(level), n.cast_signed())) {
                    None => report.found(Finding::TileMissing { level, n }),
                    Some((root, hashes)) => {
                        if let Some(at) = tile.differs(hashes) {
                            report.found(Finding::TileHashes { level, n, at });
                        }
                        if *root != tile.root.0 {
                            report.found(Finding::TileRoot { level, n });
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl Full {
    /// The first hash that is another there; one that is missing, or surplus, is.
    fn differs(&self, stored: &[u8]) -> Option<usize> {
        let (stored, rest) = stored.as_chunks::<32>();
        let other = self.hashes.iter().zip(stored).position(|(wanted, stored)| wanted.0 != *stored);
        let same_length = stored.len() == self.hashes.len() && rest.is_empty();
        other.or_else(|| (!same_length).then(|| stored.len().min(self.hashes.len())))
    }
}
