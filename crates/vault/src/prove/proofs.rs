//! Inclusion and consistency proofs for a log's project.

use kernel::{
    caller::{Authorized, allow},
    crypto::{base64, hex},
    error::{Code, Codes, Error, Result},
    ids::ProjectId,
};
use sqlx::PgConnection;
use tlog_tiles::{Hash, tree_hash};

use super::nodes::read_nodes;
use crate::{
    format::tree::{self, Nodes, consistency_nodes, edge_nodes, inclusion_nodes},
    model::{Consistency, Inclusion},
    store,
    vault::Vault,
};

/// A leaf of the tree of a size.
struct Place {
    index: u64,
    size: u64,
}

/// The codes of [`inclusion`] and [`consistency`].
pub const PROOF_ERRORS: Codes = &[&[Code::OutOfRange]];

/// Proves that the entry at `index`, or the last one, is in the tree of the log's first `size`
/// entries, or of all there are.
///
/// # Errors
/// [`PROOF_ERRORS`], for places that the log does not have.
pub async fn inclusion(
    vault: &Vault,
    by: &Authorized<allow::VaultRead>,
    index: Option<u64>,
    size: Option<u64>,
) -> Result<Inclusion> {
    let read = vault.core.read(by, async |tx| {
        let size = clamp_size(tx, by.project, "size", size).await?;
        let index = index.unwrap_or(size - 1);
        let beyond = || {
            let detail = format!("must be below {size}, the tree's size, was {index}");
            Error::field(Code::OutOfRange, "index", detail)
        };
        let wanted = inclusion_nodes(size, index).ok_or_else(beyond)?;
        let wanted = wanted.into_iter().chain(edge_nodes(size)).chain([(0, index)]);
        Ok((Place { index, size }, read_nodes(tx, by.project, size, wanted).await?))
    });
    let (Place { index, size }, nodes) = read.await?;
    let proof = tree::prove_inclusion(size, index, &nodes)?;
    let leaf = nodes.get((0, index)).ok_or_else(|| Error::internal("a leaf is missing"))?;
    Ok(Inclusion { index, size, leaf_hash: hex(&leaf.0), root: root(size, &nodes)?, hashes: texts(&proof) })
}

/// Proves that the log's first `from` entries were not changed when it grew to `to`, or to its
/// present size.
///
/// # Errors
/// [`PROOF_ERRORS`], for places that the log does not have.
pub async fn consistency(
    vault: &Vault,
    by: &Authorized<allow::VaultRead>,
    from: u64,
    to: Option<u64>,
) -> Result<Consistency> {
    let read = vault.core.read(by, async |tx| {
        let to = clamp_size(tx, by.project, "to", to).await?;
        let beyond = || Error::field(Code::OutOfRange, "from", format!("must be 1 to {to}, was {from}"));
        let wanted = consistency_nodes(from, to).ok_or_else(beyond)?;
        let wanted = wanted.into_iter().chain(edge_nodes(from)).chain(edge_nodes(to));
        Ok((to, read_nodes(tx, by.project, to, wanted).await?))
    });
    let (to, nodes) = read.await?;
    let proof = tree::prove_consistency(from, to, &nodes)?;
    let (from_root, to_root) = (root(from, &nodes)?, root(to, &nodes)?);
    Ok(Consistency { from, to, from_root, to_root, hashes: texts(&proof) })
}

/// Returns the size that was asked for, if the log has grown that far, or its present size.
async fn clamp_size(tx: &mut PgConnection, project: ProjectId, name: &str, size: Option<u64>) -> Result<u64> {
    let head = store::heads::newest(tx, project).await?.map_or(0, |head| head.size);
    match size {
        Some(size) if size == 0 || size > head => {
            let detail = format!("must be 1 to {head}, the log's size, was {size}");
            Err(Error::field(Code::OutOfRange, name, detail))
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
