//! The full tiles that the entries make, compared with those that are stored.

use std::collections::HashMap;

use kernel::{error::Result, ids::ProjectId};
use sqlx::PgConnection;
use tlog_tiles::Hash;

use super::{finding::Finding, model::TileRow, report::Report, store};
use crate::{
    format::tree::{TILE_WIDTH, subtree_root},
    model::Tile,
};

/// The most tiles that one statement reads.
const AT_A_TIME: usize = 64;

/// The tiles that are being filled, by level, and those that became full and are not compared yet.
#[derive(Default)]
pub(super) struct Tiles {
    levels: Vec<Level>,
    full: Vec<Full>,
}

#[derive(Default)]
struct Level {
    /// The number of tiles that became full.
    n: u64,
    hashes: Vec<Hash>,
}

struct Full {
    tile: Tile,
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
            hash = subtree_root(&hashes)?;
            self.full.push(Full { tile: Tile { level: number, n: level.n }, root: hash, hashes });
            level.n += 1;
        }
        Ok(())
    }

    /// Compares the tiles that became full since the last time.
    pub(super) async fn compare(
        &mut self,
        tx: &mut PgConnection,
        project: ProjectId,
        report: &mut Report,
    ) -> Result<()> {
        let full = std::mem::take(&mut self.full);
        for full in full.chunks(AT_A_TIME) {
            let wanted: Vec<Tile> = full.iter().map(|full| full.tile).collect();
            let rows = store::log::tiles(tx, project, &wanted).await?;
            let stored: HashMap<_, TileRow> = rows.into_iter().map(|row| ((row.level, row.n), row)).collect();
            for full in full {
                let Tile { level, n } = full.tile;
                match stored.get(&(i16::from(level), n.cast_signed())) {
                    None => report.found(Finding::TileMissing { level, n }),
                    Some(stored) => full.compare(stored, report),
                }
            }
        }
        Ok(())
    }
}

impl Full {
    fn compare(&self, stored: &TileRow, report: &mut Report) {
        let Tile { level, n } = self.tile;
        if let Some(at) = self.first_difference(&stored.hashes) {
            report.found(Finding::TileHashes { level, n, at });
        }
        if stored.root != self.root.0 {
            report.found(Finding::TileRoot { level, n });
        }
    }

    /// Returns the position of the first hash that differs, is missing or is surplus.
    fn first_difference(&self, stored: &[u8]) -> Option<usize> {
        let (stored, rest) = stored.as_chunks::<32>();
        let other = self.hashes.iter().zip(stored).position(|(wanted, stored)| wanted.0 != *stored);
        let same_length = stored.len() == self.hashes.len() && rest.is_empty();
        other.or_else(|| (!same_length).then(|| stored.len().min(self.hashes.len())))
    }
}
