//! The Merkle tree of a log (RFC 6962, section 2.1), as far as appending and proving need it.
//!
//! An append needs the right edge alone: the roots of the largest complete subtrees of the old
//! tree. The new root, the new edge, and the inclusion proof of every new leaf follow from it and
//! the new leaves, without reading stored entries.

use std::{cell::RefCell, collections::HashMap};

use kernel::error::{Error, Result};
use tlog_tiles::{
    Error as TlogError, Hash, HashReader, RecordProof, TreeProof, node_hash, prove_record, prove_tree,
    split_stored_hash_index, stored_hash_index, stored_hashes_for_record_hash, sub_tree_index, tree_hash,
};

/// The number of hashes in a full tile.
pub const TILE_WIDTH: u64 = 256;
/// The number of levels of the tree that one level of tiles spans.
pub const TILE_HEIGHT: u8 = 8;
/// The largest size of a log: far beyond any real one, and small enough for every sum of indexes.
pub const MAX_SIZE: u64 = 1 << 40;

/// A node of the tree, as its level and its number from the left. Level 0 holds the leaves; each
/// node above covers two below. A node is complete when all its leaves exist.
pub type Node = (u8, u64);

/// Hashes of complete nodes.
#[derive(Debug, Clone, Default)]
pub struct Nodes(HashMap<u64, Hash>);

impl Nodes {
    /// Adds a node.
    pub fn insert(&mut self, (level, n): Node, hash: Hash) {
        self.0.insert(stored_hash_index(level, n), hash);
    }

    /// Returns the hash of a node, if it is known.
    pub fn get(&self, (level, n): Node) -> Option<Hash> {
        self.0.get(&stored_hash_index(level, n)).copied()
    }
}

impl HashReader for Nodes {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<Hash>, TlogError> {
        let read = |index: &u64| {
            let hash = self.0.get(index).copied();
            hash.ok_or_else(|| TlogError::InvalidInput(format!("node {index} is not known")))
        };
        indexes.iter().map(read).collect()
    }
}

/// A tree that grows, known by its right edge and by the leaves that were added since.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    nodes: Nodes,
}

impl Tree {
    /// Returns the tree of `size` leaves whose edge, from left to right, is `edge`.
    ///
    /// # Errors
    /// `Internal` when a tree of that size has an edge of another length.
    pub fn at(size: u64, edge: &[Hash]) -> Result<Self> {
        let wanted = sub_tree_index(0, size.min(MAX_SIZE), Vec::new());
        if size > MAX_SIZE || wanted.len() != edge.len() {
            let detail = format!("a log of {size} entries has an edge of {} hashes", edge.len());
            return Err(Error::internal(detail));
        }
        Ok(Self { size, nodes: Nodes(wanted.into_iter().zip(edge.iter().copied()).collect()) })
    }

    /// Returns the number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    ///
    /// # Errors
    /// `Internal` when the edge lacks a hash, which [`Tree::at`] rules out.
    pub fn push(&mut self, leaf: Hash) -> Result<()> {
        let first = stored_hash_index(0, self.size);
        let hashes = stored_hashes_for_record_hash(self.size, leaf, &self.nodes).map_err(Error::internal)?;
        self.nodes.0.extend((first..).zip(hashes));
        self.size += 1;
        Ok(())
    }

    /// Returns the root. The root of an empty tree is SHA-256 of nothing.
    ///
    /// # Errors
    /// As [`Tree::push`].
    pub fn root(&self) -> Result<Hash> {
        tree_hash(self.size, &self.nodes).map_err(Error::internal)
    }

    /// Returns the right edge, from left to right.
    ///
    /// # Errors
    /// As [`Tree::push`].
    pub fn edge(&self) -> Result<Vec<Hash>> {
        self.nodes.read_hashes(&sub_tree_index(0, self.size, Vec::new())).map_err(Error::internal)
    }

    /// Proves that the leaf at `index` is in the tree as it is now.
    ///
    /// # Errors
    /// `Internal` for a leaf that was not pushed, but was there before.
    pub fn prove(&self, index: u64) -> Result<RecordProof> {
        prove_record(self.size, index, &self.nodes).map_err(Error::internal)
    }

    /// Returns a node that a push completed, or that is on the edge.
    pub fn node(&self, node: Node) -> Option<Hash> {
        self.nodes.get(node)
    }
}

/// Returns the nodes that the root of a tree of `size` leaves follows from: its edge.
pub fn edge_nodes(size: u64) -> Vec<Node> {
    let edge = sub_tree_index(0, size.min(MAX_SIZE), Vec::new());
    edge.into_iter().map(split_stored_hash_index).collect()
}

/// Returns the nodes that prove the leaf at `index` in the tree of `size` leaves, or `None` when
/// there is no such leaf.
pub fn inclusion_nodes(size: u64, index: u64) -> Option<Vec<Node>> {
    let exists = index < size && size <= MAX_SIZE;
    exists.then(|| recorded(|reader| prove_record(size, index, reader).map(drop)))
}

/// Returns the inclusion proof, made from the nodes that [`inclusion_nodes`] named.
///
/// # Errors
/// `Internal` when a node is missing.
pub fn prove_inclusion(size: u64, index: u64, nodes: &Nodes) -> Result<RecordProof> {
    prove_record(size, index, nodes).map_err(Error::internal)
}

/// Returns the nodes that prove the tree of `from` leaves to be a prefix of the tree of `to`
/// leaves, or `None` when there is no such proof.
pub fn consistency_nodes(from: u64, to: u64) -> Option<Vec<Node>> {
    let exists = 1 <= from && from <= to && to <= MAX_SIZE;
    exists.then(|| recorded(|reader| prove_tree(to, from, reader).map(drop)))
}

/// Returns the consistency proof, made from the nodes that [`consistency_nodes`] named.
///
/// # Errors
/// `Internal` when a node is missing.
pub fn prove_consistency(from: u64, to: u64, nodes: &Nodes) -> Result<TreeProof> {
    prove_tree(to, from, nodes).map_err(Error::internal)
}

/// Returns the root over hashes whose number is a power of two.
///
/// # Errors
/// `Internal` when there are none.
pub fn subtree_root(hashes: &[Hash]) -> Result<Hash> {
    match hashes {
        [one] => Ok(*one),
        [] => Err(Error::internal("a subtree has no hashes")),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            Ok(node_hash(subtree_root(left)?, subtree_root(right)?))
        }
    }
}

/// Returns the nodes that `proof` reads.
fn recorded(proof: impl FnOnce(&NodeRecorder) -> std::result::Result<(), TlogError>) -> Vec<Node> {
    let reader = NodeRecorder::default();
    // The proof is made of zeros, and is of no use.
    let _ = proof(&reader);
    reader.0.into_inner().into_iter().map(split_stored_hash_index).collect()
}

/// Records the hashes that are read.
#[derive(Default)]
struct NodeRecorder(RefCell<Vec<u64>>);

impl HashReader for NodeRecorder {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<Hash>, TlogError> {
        self.0.borrow_mut().extend(indexes);
        Ok(vec![Hash([0; 32]); indexes.len()])
    }
}

#[cfg(test)]
mod tests {
    use ct_merkle::{RootHash, mem_backed_tree::MemoryBackedTree};
    use proptest::prelude::*;
    use sha2::Sha256;
    use tlog_tiles::{check_record, check_tree, record_hash};

    use super::*;

    fn leaf(n: u64) -> Vec<u8> {
        format!("leaf {n}").into_bytes()
    }

    /// Returns the tree of `size` leaves, twice.
    fn all(size: u64) -> (Tree, MemoryBackedTree<Sha256, Vec<u8>>) {
        let (mut tree, mut oracle) = (Tree::default(), MemoryBackedTree::new());
        for n in 0..size {
            tree.push(record_hash(&leaf(n))).unwrap();
            oracle.push(leaf(n));
        }
        (tree, oracle)
    }

    fn bytes(proof: &[Hash]) -> Vec<u8> {
        proof.iter().flat_map(|hash| hash.0).collect()
    }

    fn root(oracle: &MemoryBackedTree<Sha256, Vec<u8>>) -> RootHash<Sha256> {
        oracle.root()
    }

    /// Compares with an independent implementation, for every size.
    #[test]
    fn roots_edges_and_proofs_are_right_for_all_sizes_up_to_1100() {
        let (mut tree, mut oracle) = all(0);
        for size in 1..=1_100_u64 {
            tree.push(record_hash(&leaf(size - 1))).unwrap();
            oracle.push(leaf(size - 1));
            assert_eq!(
                tree.root().unwrap().0,
                <[u8; 32]>::from(*root(&oracle).as_bytes()),
                "the root at {size}"
            );
            let resumed = Tree::at(size, &tree.edge().unwrap()).unwrap();
            assert_eq!(resumed.root().unwrap(), tree.root().unwrap(), "the edge at {size}");
            for index in [0, size / 3, size / 2, size - 1] {
                let proof = tree.prove(index).unwrap();
                assert_eq!(
                    bytes(&proof),
                    oracle.prove_inclusion(index as usize).as_bytes(),
                    "{index} in {size}"
                );
                check_record(&proof, size, tree.root().unwrap(), index, record_hash(&leaf(index))).unwrap();
            }
        }
    }

    #[test]
    fn a_batch_is_proved_from_the_edge_alone() {
        let (whole, _) = all(700);
        for old in [0, 1, 2, 3, 255, 256, 257, 511, 600, 699] {
            let (before, _) = all(old);
            let mut tree = Tree::at(old, &before.edge().unwrap()).unwrap();
            for n in old..700 {
                tree.push(record_hash(&leaf(n))).unwrap();
            }
            assert_eq!(tree.root().unwrap(), whole.root().unwrap());
            for n in old..700 {
                assert_eq!(tree.prove(n).unwrap(), whole.prove(n).unwrap(), "{n} after {old}");
            }
        }
    }

    #[test]
    fn consistency_proofs_are_right() {
        let (tree, _) = all(300);
        for (from, to) in
            [(1, 1), (1, 300), (2, 3), (128, 256), (255, 256), (256, 300), (299, 300), (300, 300)]
        {
            let (old, new) = (all(from).0.root().unwrap(), all(to).0.root().unwrap());
            let mut nodes = Nodes::default();
            for node in consistency_nodes(from, to).unwrap() {
                nodes.insert(node, tree.node(node).unwrap());
            }
            let proof = prove_consistency(from, to, &nodes).unwrap();
            check_tree(&proof, to, new, from, old).unwrap();
        }
    }

    proptest! {
        #[test]
        fn what_is_not_there_is_not_proved(size: u64, index: u64) {
            prop_assert_eq!(inclusion_nodes(size, index).is_some(), index < size && size <= MAX_SIZE);
            let is_consistent = index >= 1 && index <= size && size <= MAX_SIZE;
            prop_assert_eq!(consistency_nodes(index, size).is_some(), is_consistent);
            prop_assert!(Tree::at(size, &[]).is_ok() == (size == 0));
        }
    }
}
