//! Nodes of a log's tree, read from its tiles.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use kernel::{
    error::{Error, Result},
    ids::ProjectId,
};
use sqlx::PgConnection;
use tlog_tiles::Hash;

use crate::{
    format::tree::{Node, Nodes, TILE_HEIGHT, TILE_WIDTH, inclusion_nodes, prove_inclusion, subtree_root},
    model::{ProvedSeal, Tile},
    store,
};

/// Returns the hashes of `wanted` nodes of a log that has `size` entries or more, read from the
/// tiles that hold them: each tile once, all in one statement.
///
/// # Errors
/// `Internal` when a tile lacks hashes; [`Code::Unavailable`](kernel::Code::Unavailable).
pub(crate) async fn read_nodes(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
    wanted: impl IntoIterator<Item = Node>,
) -> Result<Nodes> {
    let wanted: BTreeSet<Node> = wanted.into_iter().collect();
    let tiles: BTreeSet<Tile> = wanted.iter().map(|node| Source::of(*node).tile).collect();
    let tiles: Vec<Tile> = tiles.into_iter().collect();
    let read: HashMap<Tile, Vec<Hash>> =
        store::tiles::hashes_of(tx, project, &tiles).await?.into_iter().collect();
    let mut nodes = Nodes::default();
    for node in wanted {
        let Source { tile, hashes } = Source::of(node);
        let hashes = read.get(&tile).and_then(|read| read.get(hashes)).ok_or_else(|| {
            let Tile { level, n } = tile;
            Error::internal(format!("tile {level}/{n} lacks hashes that a log of {size} entries has"))
        })?;
        nodes.insert(node, subtree_root(hashes)?);
    }
    Ok(nodes)
}

/// Proves seals in the tree of one size.
///
/// # Errors
/// As [`read_nodes`].
pub(crate) async fn prove_seals(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
    indexes: Range<u64>,
) -> Result<Vec<ProvedSeal>> {
    let proofs = indexes.clone().flat_map(|index| inclusion_nodes(size, index).unwrap_or_default());
    let leaves = indexes.clone().map(|index| (0, index));
    let nodes = read_nodes(tx, project, size, proofs.chain(leaves)).await?;
    let prove = |index| {
        let leaf = nodes.get((0, index)).ok_or_else(|| Error::internal("a leaf is missing"))?;
        Ok(ProvedSeal { index, leaf, proof: prove_inclusion(size, index, &nodes)? })
    };
    indexes.map(prove).collect()
}

/// The hashes of a tile that a node is made from.
struct Source {
    tile: Tile,
    hashes: Range<usize>,
}

impl Source {
    fn of((level, n): Node) -> Self {
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = n << height;
        let start = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        let tile = Tile { level: tile_level, n: first / TILE_WIDTH };
        Self { tile, hashes: start..start.saturating_add(1 << height) }
    }
}
