//! The promises of a log, whatever broke while it was written. SQL as the owner and a tree of this
//! file's own check them, with nothing of the tested code but the text of a receipt.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use kernel::ids::LogId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use testkit::Client;
use tlog_tiles::Hash;
use uuid::Uuid;
use vault::format::receipt::Receipt;

use crate::writers::{Done, Way};

type Hash32 = [u8; 32];
/// A row: index, leaf hash, entry, verdict and time.
type Row = (i64, Vec<u8>, Vec<u8>, String, DateTime<Utc>);

/// The entries of a log that was found sound, with every root that it ever had.
pub struct Log {
    origin: String,
    keys: Vec<String>,
    entries: Vec<Vec<u8>>,
    /// The root of each size, from 0 on.
    roots: Vec<Hash32>,
}

/// Checks every log of the database as far as each can be checked alone, and returns that of the
/// key's project.
pub async fn sound(database_url: &str, client: &Client, key: &str) -> Log {
    let log: Value = client.get("/v1/vault/log").key(key).send().await.unwrap().expect(200).unwrap();
    let ours: LogId = log["log"].as_str().unwrap().parse().unwrap();
    let mut db = PgConnection::connect(database_url).await.unwrap();
    // All reads see one moment, since the worker may be publishing.
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ").execute(&mut db).await.unwrap();
    let (mut entries, mut roots) = (Vec::new(), vec![Tree::default().root()]);
    let logs: Vec<Uuid> =
        sqlx::query_scalar("SELECT project_id FROM vault_logs").fetch_all(&mut db).await.unwrap();
    for project in logs {
        let read = rebuilt(&mut db, project).await;
        if ours.project().uuid() == project {
            (entries, roots) = read;
        }
    }
    beside(&mut db).await;
    assert_eq!(log["size"], entries.len());
    assert_eq!(log["root"], STANDARD.encode(roots.last().unwrap()));
    let keys = log["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect();
    Log { origin: log["origin"].as_str().unwrap().to_owned(), keys, entries, roots }
}

/// Returns the entries of a log and its roots of every size from 0 on, after checking that
/// everything stored agrees with them.
async fn rebuilt(db: &mut PgConnection, project: Uuid) -> (Vec<Vec<u8>>, Vec<Hash32>) {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT index, leaf_hash, entry, verdict, at FROM vault_entries WHERE project_id = $1 ORDER BY index",
    )
    .bind(project)
    .fetch_all(&mut *db)
    .await
    .unwrap();
    let (mut tree, mut roots, mut leaves) = (Tree::default(), vec![Tree::default().root()], Vec::new());
    let (mut verdicts, mut last) = (BTreeMap::<String, u64>::new(), None);
    for (wanted, (index, leaf, entry, verdict, at)) in rows.iter().enumerate() {
        assert_eq!(usize::try_from(*index).unwrap(), wanted, "indexes are contiguous");
        assert_eq!(*leaf, leaf_hash(entry), "entry {index} is not what was hashed");
        let said: Value = serde_json::from_slice(entry).unwrap();
        assert_eq!(said["index"], *index);
        assert!(Some(*at) >= last, "time went back at {index}");
        last = Some(*at);
        *verdicts.entry(verdict.clone()).or_default() += 1;
        leaves.push(leaf.clone());
        tree.push(leaf_hash(entry));
        roots.push(tree.root());
    }

    let sql = "SELECT size, root FROM vault_checkpoints WHERE project_id = $1 ORDER BY size";
    let checkpoints: Vec<(i64, Vec<u8>)> =
        sqlx::query_as(sql).bind(project).fetch_all(&mut *db).await.unwrap();
    for (size, root) in &checkpoints {
        let recomputed = roots.get(usize::try_from(*size).unwrap()).expect("a checkpoint beyond the log");
        assert_eq!(root, recomputed, "the checkpoint of size {size} has another root");
    }
    let size = i64::try_from(rows.len()).unwrap();
    assert_eq!(checkpoints.last().map_or(0, |(size, _)| *size), size, "the last commit has a checkpoint");

    let sql = "SELECT size, edge, verdicts FROM vault_logs WHERE project_id = $1";
    let head: (i64, Vec<u8>, Value) = sqlx::query_as(sql).bind(project).fetch_one(&mut *db).await.unwrap();
    assert_eq!(head, (size, tree.edge(), json!(verdicts)), "the head is where the entries end");

    let sql = "SELECT n, hashes FROM vault_tiles WHERE project_id = $1 AND level = 0 ORDER BY n";
    let tiles: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql).bind(project).fetch_all(&mut *db).await.unwrap();
    assert_eq!(tiles.len(), rows.len() / 256, "each full tile stands, and no other");
    for ((n, hashes), leaves) in tiles.iter().zip(leaves.chunks(256)) {
        assert_eq!(*hashes, leaves.concat(), "tile {n}");
    }
    (rows.into_iter().map(|(_, _, entry, ..)| entry).collect(), roots)
}

/// Checks that the rows beside the entries were committed with them: personal data, proposals and
/// the jobs that end them.
async fn beside(db: &mut PgConnection) {
    for (what, sql) in [
        (
            "personal data",
            "SELECT count(*) FROM vault_entries e FULL JOIN vault_payloads p USING (project_id, index) \
             WHERE (e.entry IS NULL) OR (p.ciphertext IS NOT NULL) <> ( \
                 convert_from(e.entry, 'UTF8') LIKE '%\"personal_sha256\":%' \
                 AND NOT EXISTS ( \
                     SELECT FROM vault_entries x \
                     WHERE x.project_id = e.project_id AND x.subject = e.subject \
                         AND x.kind = 'subject.erased' AND x.index > e.index \
                 ) \
             )",
        ),
        (
            "proposals",
            "SELECT count(*) FROM vault_entries e FULL JOIN vault_proposals p USING (project_id, index) \
             WHERE (e.entry IS NULL) OR (e.verdict = 'HOLD') <> (p.expires_at IS NOT NULL)",
        ),
        (
            "jobs",
            "SELECT count(*) FROM vault_proposals p WHERE 1 <> (SELECT count(*) FROM jobs j \
             WHERE j.kind = 'vault.expire_proposal' AND (j.payload->>'proposal')::bigint = p.index \
                 AND substr(j.payload->>'project', 5)::uuid = p.project_id)",
        ),
    ] {
        let wrong: i64 = sqlx::query_scalar(sql).fetch_one(&mut *db).await.unwrap();
        assert_eq!(wrong, 0, "{what} that do not match the entries");
    }
}

impl Log {
    /// Returns the number of entries.
    pub fn size(&self) -> usize {
        self.entries.len()
    }

    /// Checks that each acknowledged seal is in the log, as its receipt says, and as often as
    /// promised, and that no size was signed with two roots.
    pub fn holds(&self, done: &[Done]) {
        let mut found: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let entry: Value = serde_json::from_slice(entry).unwrap();
            found
                .entry(entry["payload"]["id"].as_str().unwrap_or_default().to_owned())
                .or_default()
                .push(index);
        }
        for done in done {
            let there = found.get(&done.id).map_or(0, Vec::len);
            assert!(there >= 1, "{} was acknowledged and is lost", done.id);
            assert!(
                done.way == Way::Plain || there == 1,
                "{} ({:?}) is there {there} times",
                done.id,
                done.way
            );
            if let Some(answer) = &done.answer {
                let index = self.verify(answer);
                assert!(found[&done.id].contains(&index), "{} has the receipt of another seal", done.id);
            }
        }
    }

    /// Verifies a receipt against the present log. Returns the index.
    pub fn verify(&self, answer: &Value) -> usize {
        let number = |name: &str| usize::try_from(answer[name].as_u64().unwrap()).unwrap();
        let (index, size) = (number("index"), number("size"));
        let checkpoint = answer["checkpoint"].as_str().unwrap().to_owned();
        let mut lines = checkpoint.lines().skip(1);
        assert_eq!(lines.next(), Some(size.to_string().as_str()));
        let root = self
            .roots
            .get(size)
            .unwrap_or_else(|| panic!("size {size} was signed, and the log never had it"));
        assert_eq!(
            lines.next(),
            Some(STANDARD.encode(root).as_str()),
            "another root of size {size} was signed"
        );
        let hash = |text: &Value| Hash(STANDARD.decode(text.as_str().unwrap()).unwrap().try_into().unwrap());
        let receipt = Receipt {
            entry: Some(self.entries[index].clone()),
            index: index as u64,
            proof: answer["inclusion_proof"].as_array().unwrap().iter().map(hash).collect(),
            checkpoint,
        };
        assert_eq!(receipt.verify(&self.origin, &self.keys), Ok(size as u64));
        index
    }
}

/// The tree of RFC 6962, as the roots of its complete subtrees with their heights, largest first.
#[derive(Default)]
struct Tree(Vec<(u32, Hash32)>);

impl Tree {
    fn push(&mut self, leaf: Hash32) {
        let mut node = (0, leaf);
        while let Some((height, left)) = self.0.pop_if(|(height, _)| *height == node.0) {
            node = (height + 1, parent(&left, &node.1));
        }
        self.0.push(node);
    }

    fn root(&self) -> Hash32 {
        let mut nodes = self.0.iter().rev().map(|(_, hash)| *hash);
        let last = nodes.next().unwrap_or_else(|| Sha256::digest(b"").into());
        nodes.fold(last, |right, left| parent(&left, &right))
    }

    fn edge(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(_, hash)| *hash).collect()
    }
}

fn leaf_hash(entry: &[u8]) -> Hash32 {
    Sha256::digest([b"\0", entry].concat()).into()
}

fn parent(left: &Hash32, right: &Hash32) -> Hash32 {
    Sha256::digest([b"\x01".as_slice(), left, right].concat()).into()
}
