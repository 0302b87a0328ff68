//! A log that grows while a witness watches, and one that tries to change its past.

use adapters::witness::Witnesses;
use kernel::{Clock, Ids, effect::Effect};
use testkit::Witness as Server;
use vault::{
    Hash, VaultKeyRing, Witness, WitnessAnswer,
    format::{
        cosignature::{append, body, lines},
        note::CheckpointSigner,
        tree::{Nodes, Tree, consistency_nodes, prove_consistency},
    },
};

const ORIGIN: &str = "api.example.com/v1/vault/logs/log_1";

/// A log whose n-th leaf is the byte `mark` 32 times.
struct Log {
    keys: VaultKeyRing,
    tree: Tree,
}

impl Log {
    fn new() -> Self {
        Self { keys: VaultKeyRing::generate(&Ids::new(Clock::system())), tree: Tree::default() }
    }

    fn grow(&mut self, leaves: usize, mark: u8) {
        for _ in 0..leaves {
            self.tree.push(Hash([mark; 32])).unwrap();
        }
    }

    fn signer(&self) -> CheckpointSigner {
        CheckpointSigner::new(&self.keys)
    }

    fn checkpoint(&self) -> String {
        self.signer().sign(ORIGIN, self.tree.size(), self.tree.root().unwrap()).unwrap()
    }

    fn proof(&self, from: u64) -> Vec<Hash> {
        let mut nodes = Nodes::default();
        for node in consistency_nodes(from, self.tree.size()).unwrap_or_default() {
            nodes.insert(node, self.tree.node(node).unwrap());
        }
        if from == 0 { Vec::new() } else { prove_consistency(from, self.tree.size(), &nodes).unwrap() }
    }
}

fn client(server: &Server) -> std::sync::Arc<dyn Witness> {
    server.entry().parse::<Witnesses>().unwrap().clients().unwrap().remove(0)
}

/// Returns the cosignatures, or fails the test with the answer.
fn cosigned(answer: WitnessAnswer) -> Vec<String> {
    match answer {
        WitnessAnswer::Cosigned(lines) => lines,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: Effect<WitnessAnswer>) -> String {
    match outcome {
        Ok(WitnessAnswer::Refused(reason) | WitnessAnswer::Forked(reason)) => reason,
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_witness_cosigns_what_continues_what_it_saw() {
    let server = Server::start("witness.example/w1").await.unwrap();
    let witness = client(&server);
    let mut log = Log::new();
    log.grow(5, 1);
    server.trust(ORIGIN, &log.signer().verifiers(ORIGIN));

    let mut seen = 0;
    for grown in [0, 1, 2, 250, 0, 45] {
        log.grow(grown, 2);
        let (size, note) = (log.tree.size(), log.checkpoint());
        let answer = cosigned(witness.add_checkpoint(seen, &log.proof(seen), &note).await.unwrap());
        let found = witness.key().find(body(&note).unwrap(), answer.iter().map(String::as_str)).unwrap();
        assert!((Clock::system().now() - found.at()).num_seconds() < 60);
        let complete = append(&note, [found.line()]).unwrap();
        let text = body(&complete).unwrap();
        assert_eq!(witness.key().find(text, lines(&complete)).unwrap(), found);
        // A checkpoint that has its cosignature already may be sent again.
        let again = witness.add_checkpoint(size, &[], &complete).await.unwrap();
        assert_eq!(cosigned(again).len(), 1);
        seen = size;
        assert_eq!(server.size(ORIGIN), seen);
    }

    // A submitter that forgot the size is told it.
    log.grow(3, 3);
    let outcome = witness.add_checkpoint(0, &[], &log.checkpoint()).await;
    assert_eq!(outcome, Ok(WitnessAnswer::Behind { size: seen }));
    witness.add_checkpoint(seen, &log.proof(seen), &log.checkpoint()).await.unwrap();
}

#[tokio::test]
async fn a_witness_does_not_cosign_another_history() {
    let server = Server::start("witness.example/w1").await.unwrap();
    let witness = client(&server);
    let mut log = Log::new();
    log.grow(20, 1);
    let note = log.checkpoint();
    assert!(refused(witness.add_checkpoint(0, &[], &note).await).contains("does not know this log"));
    server.trust(ORIGIN, &Log::new().signer().verifiers(ORIGIN));
    assert!(refused(witness.add_checkpoint(0, &[], &note).await).contains("trusts none of the keys"));
    server.trust(ORIGIN, &log.signer().verifiers(ORIGIN));
    assert!(refused(witness.add_checkpoint(0, &[Hash([0; 32])], &note).await).contains("(422)"));
    assert!(refused(witness.add_checkpoint(21, &[], &note).await).contains("(400)"));
    assert!(refused(witness.add_checkpoint(0, &[], "no checkpoint").await).contains("(400)"));
    witness.add_checkpoint(0, &[], &note).await.unwrap();

    let mut fork = Log { keys: log.keys.clone(), tree: Tree::default() };
    fork.grow(20, 2);
    assert!(refused(witness.add_checkpoint(20, &[], &fork.checkpoint()).await).contains("two histories"));
    fork.grow(5, 2);
    let outcome = witness.add_checkpoint(20, &fork.proof(20), &fork.checkpoint()).await;
    assert!(refused(outcome).contains("(422)"));

    // A log that was restored from a backup is behind what its witness knows.
    let mut restored = Log { keys: log.keys.clone(), tree: Tree::default() };
    restored.grow(10, 1);
    let outcome = witness.add_checkpoint(5, &restored.proof(5), &restored.checkpoint()).await;
    assert_eq!(outcome, Ok(WitnessAnswer::Behind { size: 20 }));
    assert_eq!(server.size(ORIGIN), 20);
}
