//! The Merkle tree of a log (RFC 6962, section 2.1), as far as appending and proving need it.
//!
//! An append needs only the right edge: the roots of the largest complete subtrees that make up the old tree. From them and the new leaves
//! follow the new root, the new edge, and the inclusion proof of every new leaf, without a look at what is stored.

use std::{cell::RefCell, collections::HashMap};

use tlog_tiles::{
    Error as TlogError, Hash, HashReader, RecordProof, TreeProof, prove_record, prove_tree, split_stored_hash_index,
    stored_hash_index, stored_hashes_for_record_hash, sub_tree_index, tree_hash,
};

use kernel::error::{Error, Result};

/// Hashes a tile holds at most.
pub const TILE_WIDTH: u64 = 256;
/// Levels of the tree that one level of tiles spans.
pub const TILE_HEIGHT: u8 = 8;
/// The largest size of a log: far beyond any, and small enough for every sum of indexes.
pub const MAX_SIZE: u64 = 1 << 40;

/// A node of the tree: at level 0 the leaves, each node above over two below; complete when all its leaves are there.
pub type Node = (u8, u64);

/// Hashes of complete nodes.
#[derive(Debug, Clone, Default)]
pub struct Nodes(HashMap<u64, Hash>);

impl Nodes {
    /// Adds a node.
    pub fn insert(&mut self, (level, n): Node, hash: Hash) {
        self.0.insert(stored_hash_index(level, n), hash);
    }

    /// The hash of a node, where it is known.
    pub fn get(&self, (level, n): Node) -> Option<Hash> {
        self.0.get(&stored_hash_index(level, n)).copied()
    }
}

impl HashReader for Nodes {
    fn read_hashes(&self, indexes: &[u64]) -> std::result::Result<Vec<Hash>, TlogError> {
        let read = |index: &u64| {
            self.0.get(index).copied().ok_or_else(|| TlogError::InvalidInput(format!("node {index} is not known")))
        };
        indexes.iter().map(read).collect()
    }
}

/// A tree that leaves are added to, known by its right edge and what was added since.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    nodes: Nodes,
}

impl Tree {
    /// The tree of `size` leaves whose edge, from left to right, is `edge`.
    ///
    /// # Errors
    /// When the number of hashes is not that of an edge of that size.
    pub fn at(size: u64, edge: &[Hash]) -> Result<Self> {
        let wanted = sub_tree_index(0, size.min(MAX_SIZE), Vec::new());
        if size > MAX_SIZE || wanted.len() != edge.len() {
            return Err(Error::internal(format!("a log of {size} entries has an edge of {} hashes", edge.len())));
        }
        Ok(Self { size, nodes: Nodes(wanted.into_iter().zip(edge.iter().copied()).collect()) })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    ///
    /// # Errors
    /// None that is known.
    pub fn push(&mut self, leaf: Hash) -> Result<()> {
        let first = stored_hash_index(0, self.size);
        let hashes = stored_hashes_for_record_hash(self.size, leaf, &self.nodes).map_err(Error::internal)?;
        self.nodes.0.extend((first..).zip(hashes));
        self.size += 1;
        Ok(())
    }

    /// The root; of an empty tree, SHA-256 of nothing.
    ///
    /// # Errors
    /// None that is known.
    pub fn root(&self) -> Result<Hash> {
        tree_hash(self.size, &self.nodes).map_err(Error::internal)
    }

    /// The right edge, from left to right.
    ///
    /// # Errors
    /// None that is known.
    pub fn edge(&self) -> Result<Vec<Hash>> {
        self.nodes.read_hashes(&sub_tree_index(0, self.size, Vec::new())).map_err(Error::internal)
    }

    /// The proof that the leaf at `index`, one that was pushed, is in the tree as it now is.
    ///
    /// # Errors
    /// A leaf that was there before.
    pub fn prove(&self, index: u64) -> Result<RecordProof> {
        prove_record(self.size, index, &self.nodes).map_err(Error::internal)
    }

    /// A node that was completed by a push, or is on the edge.
    pub fn node(&self, node: Node) -> Option<Hash> {
        self.nodes.get(node)
    }
}

/// The nodes that the root of the tree of `size` leaves follows from: its edge.
pub fn edge_nodes(size: u64) -> Vec<Node> {
    let edge = sub_tree_index(0, size.min(MAX_SIZE), Vec::new());
    edge.into_iter().map(split_stored_hash_index).collect()
}

/// The nodes that proving the leaf at `index` in the tree of `size` leaves takes. Nothing when there is no such leaf.
pub fn inclusion_nodes(size: u64, index: u64) -> Option<Vec<Node>> {
    (index < size && size <= MAX_SIZE).then(|| asked(|reader| prove_record(size, index, reader).map(drop)))
}

/// The inclusion proof, from the nodes that [`inclusion_nodes`] named.
///
/// # Errors
/// A node that is missing.
pub fn prove_inclusion(size: u64, index: u64, nodes: &Nodes) -> Result<RecordProof> {
    prove_record(size, index, nodes).map_err(Error::internal)
}

/// The nodes that proving the tree of `from` leaves a prefix of the one of `to` takes. Nothing when there is no such proof.
pub fn consistency_nodes(from: u64, to: u64) -> Option<Vec<Node>> {
    (1 <= from && from <= to && to <= MAX_SIZE).then(|| asked(|reader| prove_tree(to, from, reader).map(drop)))
}

/// The consistency proof, from the nodes that [`consistency_nodes`] named.
///
/// # Errors
/// A node that is missing.
pub fn prove_consistency(from: u64, to: u64, nodes: &Nodes) -> Result<TreeProof> {
    prove_tree(to, from, nodes).map_err(Error::internal)
}

/// Runs `proof` on a reader that notes what it is asked for.
fn asked(proof: impl FnOnce(&Asked) -> std::result::Result<(), TlogError>) -> Vec<Node> {
    let reader = Asked::default();
    // What comes of made-up hashes is of no interest.
    let _ = proof(&reader);
    reader.0.into_inner().into_iter().map(split_stored_hash_index).collect()
}

#[derive(Default)]
struct Asked(RefCell<Vec<u64>>);

impl HashReader for Asked {
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

    /// All complete nodes of the tree of `size` leaves.
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

    /// Against an implementation by other people, for every size.
    #[test]
    fn roots_edges_and_proofs_are_right_for_all_sizes_up_to_1100() {
        let (mut tree, mut oracle) = all(0);
        for size in 1..=1_100_u64 {
            tree.push(record_hash(&leaf(size - 1))).unwrap();
            oracle.push(leaf(size - 1));
            assert_eq!(tree.root().unwrap().0, <[u8; 32]>::from(*root(&oracle).as_bytes()), "the root at {size}");
            let resumed = Tree::at(size, &tree.edge().unwrap()).unwrap();
            assert_eq!(resumed.root().unwrap(), tree.root().unwrap(), "the edge at {size}");
            for index in [0, size / 3, size / 2, size - 1] {
                let proof = tree.prove(index).unwrap();
                assert_eq!(bytes(&proof), oracle.prove_inclusion(index as usize).as_bytes(), "{index} in {size}");
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
        for (from, to) in [(1, 1), (1, 300), (2, 3), (128, 256), (255, 256), (256, 300), (299, 300), (300, 300)] {
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
            prop_assert_eq!(consistency_nodes(index, size).is_some(), index >= 1 && index <= size && size <= MAX_SIZE);
            prop_assert!(Tree::at(size, &[]).is_ok() == (size == 0));
        }
    }
}
