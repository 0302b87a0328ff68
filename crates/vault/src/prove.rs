//! Proofs from what is stored: tiles, and what partial tiles are made from.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use serde::Serialize;
use sqlx::PgConnection;
use tlog_tiles::{Hash, RecordProof, record_hash, tree_hash};
use utoipa::ToSchema;

use super::{
    Vault, head,
    ledger::Placed,
    read_store,
    receipt::Receipt,
    tile_path::tile_width,
    tree::{self, Node, Nodes, TILE_HEIGHT, TILE_WIDTH, consistency_nodes, edge_nodes, inclusion_nodes},
};
use kernel::{
    caller::{Permission, Principal},
    crypto::{base64, hex},
    db::Caller,
    error::{Code, Error, Result},
    ids::{LogId, ProjectId},
};

/// That an entry is in the tree of a size.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Inclusion {
    /// Where the entry is.
    #[schema(minimum = 0)]
    pub index: u64,
    /// The size of the tree.
    #[schema(minimum = 1)]
    pub size: u64,
    /// SHA-256 over 0x00 and the entry, in hexadecimal.
    #[schema(max_length = 64)]
    pub leaf_hash: String,
    /// The root of that tree, in base64.
    #[schema(max_length = 44)]
    pub root: String,
    /// The hashes beside the way from the leaf to the root, the leaf's sibling first, in base64 (RFC 6962, section 2.1.1).
    pub hashes: Vec<String>,
}

/// That the tree of one size begins with that of another.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Consistency {
    /// The smaller size.
    #[schema(minimum = 1)]
    pub from: u64,
    /// The larger size.
    #[schema(minimum = 1)]
    pub to: u64,
    /// The root of the smaller tree, in base64.
    #[schema(max_length = 44)]
    pub from_root: String,
    /// The root of the larger tree, in base64.
    #[schema(max_length = 44)]
    pub to_root: String,
    /// The proof's hashes, in base64 (RFC 6962, section 2.1.2).
    pub hashes: Vec<String>,
}

/// Proves that the entry at `index`, or the last one, is in the tree of the log's first `size` entries, or of all there are.
///
/// # Errors
/// [`Code::OutOfRange`] for what the log does not have; [`Code::PermissionMissing`]; those of the database.
pub async fn inclusion(vault: &Vault, by: &Principal, index: Option<u64>, size: Option<u64>) -> Result<Inclusion> {
    by.require(Permission::VaultRead)?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let size = within(&mut tx, by.project, "size", size).await?;
    let index = index.unwrap_or(size - 1);
    let wanted = inclusion_nodes(size, index).ok_or_else(|| {
        Error::field(Code::OutOfRange, "index", format!("is {index}, and the tree has {size} entries"))
    })?;
    let wanted = wanted.into_iter().chain(edge_nodes(size)).chain([(0, index)]);
    let nodes = nodes(&mut tx, by.project, size, wanted).await?;
    tx.commit().await?;
    let proof = tree::prove_inclusion(size, index, &nodes)?;
    let leaf = nodes.get((0, index)).ok_or_else(|| Error::internal("a leaf is missing"))?;
    Ok(Inclusion { index, size, leaf_hash: hex(&leaf.0), root: root(size, &nodes)?, hashes: texts(&proof) })
}

/// Proves that the log's first `from` entries were not changed when it grew to `to`, or to what it is.
///
/// # Errors
/// [`Code::OutOfRange`] for what the log does not have; [`Code::PermissionMissing`]; those of the database.
pub async fn consistency(vault: &Vault, by: &Principal, from: u64, to: Option<u64>) -> Result<Consistency> {
    by.require(Permission::VaultRead)?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let to = within(&mut tx, by.project, "to", to).await?;
    let wanted = consistency_nodes(from, to)
        .ok_or_else(|| Error::field(Code::OutOfRange, "from", format!("must be 1 to {to}, is {from}")))?;
    let wanted = wanted.into_iter().chain(edge_nodes(from)).chain(edge_nodes(to));
    let nodes = nodes(&mut tx, by.project, to, wanted).await?;
    tx.commit().await?;
    let proof = tree::prove_consistency(from, to, &nodes)?;
    Ok(Consistency { from, to, from_root: root(from, &nodes)?, to_root: root(to, &nodes)?, hashes: texts(&proof) })
}

/// The receipt of the seal at `index`: its entry, the proof that it is in the newest tree, and that tree's signed checkpoint.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::PermissionMissing`]; [`Code::LogDamaged`] when it would not verify; those of the database.
pub async fn receipt(vault: &Vault, by: &Principal, index: u64) -> Result<String> {
    by.require(Permission::VaultRead)?;
    let mut tx = vault.core.db.begin(Caller::Project(by.project)).await?;
    let head =
        head::newest(&mut tx, by.project).await?.filter(|head| index < head.size).ok_or_else(|| no_seal(index))?;
    let entry = read_store::entry(&mut tx, by.project, index).await?.ok_or_else(|| no_seal(index))?;
    let wanted = inclusion_nodes(head.size, index).ok_or_else(|| no_seal(index))?;
    let nodes = nodes(&mut tx, by.project, head.size, wanted).await?;
    tx.commit().await?;
    let proof = tree::prove_inclusion(head.size, index, &nodes)?;
    // Nobody is handed a receipt that does not verify.
    tlog_tiles::check_record(&proof, head.size, head.root, index, record_hash(&entry))
        .map_err(|why| damaged(index).because(format!("{why:?}")))?;
    let checkpoint = vault.sign(LogId::from(by.project), head.size, head.root)?;
    Ok(Receipt { entry: Some(entry), index, proof, checkpoint }.to_text())
}

pub(super) fn no_seal(index: u64) -> Error {
    Error::not_found(format!("seal {index}"))
}

/// What is stored of the entry is not what was sealed.
pub(super) fn damaged(index: u64) -> Error {
    let detail = format!(
        "Entry {index} of the log is not as it was sealed; receipts of it that were given out are the proof of what it was"
    );
    Error::new(Code::LogDamaged, detail)
}

/// The proofs of many seals at one size.
pub(super) async fn many(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
    indexes: Range<u64>,
) -> Result<Vec<(Placed, RecordProof)>> {
    let wanted = indexes.clone().flat_map(|index| inclusion_nodes(size, index).unwrap_or_default());
    let nodes = nodes(tx, project, size, wanted.chain(indexes.clone().map(|index| (0, index)))).await?;
    let prove = |index| {
        let leaf = nodes.get((0, index)).ok_or_else(|| Error::internal("a leaf is missing"))?;
        Ok((Placed { index, leaf }, tree::prove_inclusion(size, index, &nodes)?))
    };
    indexes.map(prove).collect()
}

/// A size that was asked for, if the log has come so far; or how far it has.
async fn within(tx: &mut PgConnection, project: ProjectId, name: &str, size: Option<u64>) -> Result<u64> {
    let head = head::newest(tx, project).await?.map_or(0, |head| head.size);
    match size {
        Some(size) if size == 0 || size > head => {
            Err(Error::field(Code::OutOfRange, name, format!("must be 1 to {head}, the log's size, is {size}")))
        }
        Some(size) => Ok(size),
        None if head == 0 => Err(Error::field(Code::OutOfRange, name, "the log has no entry yet")),
        None => Ok(head),
    }
}

fn root(size: u64, nodes: &Nodes) -> Result<String> {
    Ok(base64(&tree_hash(size, nodes).map_err(Error::internal)?.0))
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| base64(&hash.0)).collect()
}

/// The hashes of `wanted` nodes of a log that has `size` entries or more, read from the tiles that hold them: each once, all in one statement.
pub(super) async fn nodes(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
    wanted: impl IntoIterator<Item = Node>,
) -> Result<Nodes> {
    let wanted: BTreeSet<Node> = wanted.into_iter().collect();
    let tiles: BTreeSet<(u8, u64)> = wanted.iter().map(|node| place(*node).0).collect();
    let tiles: Vec<(u8, u64)> = tiles.into_iter().collect();
    let held: HashMap<(u8, u64), Vec<Hash>> = read_store::tiles(tx, project, &tiles).await?.into_iter().collect();
    let mut nodes = Nodes::default();
    for node in wanted {
        let (tile, range) = place(node);
        let hashes = held.get(&tile).and_then(|hashes| hashes.get(range)).ok_or_else(|| {
            Error::internal(format!("tile {}/{} lacks hashes that a log of {size} entries has", tile.0, tile.1))
        })?;
        nodes.insert(node, subtree(hashes)?);
    }
    Ok(nodes)
}

/// The tile that a node is made from, and which of its hashes.
fn place((level, n): Node) -> ((u8, u64), Range<usize>) {
    let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
    let first = n << height;
    let start = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
    ((tile_level, first / TILE_WIDTH), start..start.saturating_add(1 << height))
}

/// The root over hashes whose number is a power of two.
pub(super) fn subtree(hashes: &[Hash]) -> Result<Hash> {
    match hashes {
        [one] => Ok(*one),
        [] => Err(Error::internal("a subtree of nothing")),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            Ok(tlog_tiles::node_hash(subtree(left)?, subtree(right)?))
        }
    }
}

/// A tile as it is served: `width` hashes of a level, of those that the log has.
///
/// # Errors
/// [`Code::NotFound`] for what the log has not come to; those of the database.
pub async fn tile(vault: &Vault, log: LogId, level: u8, n: u64, width: u64) -> Result<Vec<u8>> {
    let mut tx = vault.core.db.begin(Caller::Project(log.project())).await?;
    let head = head::newest(&mut tx, log.project()).await?.ok_or_else(head::no_log)?;
    if tile_width(head.size, level, n) < width {
        return Err(no_tile());
    }
    let tiles = read_store::tiles(&mut tx, log.project(), &[(level, n)]).await?;
    tx.commit().await?;
    let bytes = tiles.into_iter().flat_map(|(_, hashes)| hashes).flat_map(|hash| hash.0);
    let bytes: Vec<u8> = bytes.take(usize::try_from(width).unwrap_or(0) * 32).collect();
    if bytes.len() as u64 == width * 32 { Ok(bytes) } else { Err(Error::internal("a tile lacks hashes")) }
}

/// A bundle of entries as it is served: each as its length in two bytes, big-endian, and its bytes.
///
/// # Errors
/// [`Code::NotFound`] for what the log has not come to; those of the database.
pub async fn bundle(vault: &Vault, log: LogId, n: u64, width: u64) -> Result<Vec<u8>> {
    let mut tx = vault.core.db.begin(Caller::Project(log.project())).await?;
    let head = head::newest(&mut tx, log.project()).await?.ok_or_else(head::no_log)?;
    if tile_width(head.size, 0, n) < width {
        return Err(no_tile());
    }
    let entries = read_store::entries(&mut tx, log.project(), n * TILE_WIDTH, width).await?;
    tx.commit().await?;
    let mut bundle = Vec::with_capacity(entries.iter().map(|entry| entry.len() + 2).sum());
    for entry in &entries {
        bundle.extend_from_slice(&u16::try_from(entry.len()).map_err(Error::internal)?.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    if entries.len() as u64 == width { Ok(bundle) } else { Err(Error::internal("a bundle lacks entries")) }
}

fn no_tile() -> Error {
    Error::new(Code::NotFound, "The log has not grown to that tile")
}
