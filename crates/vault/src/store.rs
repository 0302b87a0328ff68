//! The SQL of appending: what runs under the lock of a log's head.

use std::collections::BTreeMap;

use sqlx::{FromRow, PgConnection, types::Json};
use tlog_tiles::Hash;

use super::{
    entry::{Draft, Verdict},
    ledger::Written,
    proposals::Decision,
};
use kernel::{
    clock::Timestamp,
    error::{Error, Result},
    ids::ProjectId,
};

/// The head of the transaction's log, locked until the transaction ends.
#[derive(FromRow)]
pub(super) struct Head {
    size: i64,
    edge: Vec<u8>,
    pub(super) verdicts: Json<BTreeMap<Verdict, u64>>,
    pub(super) at: Timestamp,
    pub(super) xid: i64,
}

impl Head {
    pub(super) fn size(&self) -> Result<u64> {
        unsigned(self.size)
    }

    pub(super) fn edge(&self) -> Result<Vec<Hash>> {
        hashes(&self.edge)
    }
}

/// An index or a size, which Postgres has as a signed number.
pub(super) fn unsigned(number: i64) -> Result<u64> {
    u64::try_from(number).map_err(Error::internal)
}

/// Hashes that stand one after the other.
pub(super) fn hashes(bytes: &[u8]) -> Result<Vec<Hash>> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        Ok(chunks.iter().map(|chunk| Hash(*chunk)).collect())
    } else {
        Err(Error::internal(format!("{} bytes are no row of hashes", bytes.len())))
    }
}

/// `idle_in_transaction_session_timeout` of the lock's holder: a frozen replica loses the lock after 5 s, before those waiting hit their 10 s statement timeout.
const SILENCE: &str = "5s";

pub(super) async fn lock(tx: &mut PgConnection) -> sqlx::Result<Head> {
    // A log without entries has no newest one.
    sqlx::query_as(
        "SELECT size, edge, verdicts, greatest(at, 'epoch') AS at, xid, set_config('idle_in_transaction_session_timeout', $1, true) \
         FROM vault_lock()",
    )
    .bind(SILENCE)
    .fetch_one(tx)
    .await
}

/// Whether the batch was committed; nothing when that is not certain yet.
///
/// Only its checkpoint tells that it was. The transaction's number does not: if Postgres crashed before the log of the transaction was on the disk, the
/// number is given to another one, and then its status is that one's.
pub(super) async fn ended(tx: &mut PgConnection, written: &Written) -> sqlx::Result<Option<bool>> {
    let (root, status): (Option<Vec<u8>>, Option<String>) = sqlx::query_as(
        "SELECT (SELECT root FROM vault_checkpoints WHERE project_id = $1 AND size = $2), pg_xact_status($3::text::xid8)",
    )
    .bind(written.project)
    .bind(written.size.cast_signed())
    .bind(written.xid.to_string())
    .fetch_one(tx)
    .await?;
    Ok(match root {
        Some(root) => Some(root == written.root.0),
        None => (status.as_deref() == Some("aborted")).then_some(false),
    })
}

/// Entries of one batch, by column.
#[derive(Default)]
pub(super) struct Rows<'a> {
    leaves: Vec<Vec<u8>>,
    kinds: Vec<&'a str>,
    verdicts: Vec<&'static str>,
    actors: Vec<&'a str>,
    sessions: Vec<Option<&'a str>>,
    subjects: Vec<Option<&'a str>>,
    entries: Vec<Vec<u8>>,
    tags: Vec<&'a str>,
    tagged: Vec<i64>,
}

impl<'a> Rows<'a> {
    pub(super) fn push(&mut self, index: u64, leaf: Hash, draft: &'a Draft, entry: Vec<u8>) {
        self.leaves.push(leaf.0.to_vec());
        self.kinds.push(&draft.kind);
        self.verdicts.push(draft.verdict.as_str());
        self.actors.push(&draft.actor);
        self.sessions.push(draft.session_id.as_deref());
        self.subjects.push(draft.subject.as_deref());
        self.entries.push(entry);
        for tag in &draft.tags {
            self.tags.push(tag);
            self.tagged.push(index.cast_signed());
        }
    }
}

/// What a batch makes of the head.
pub(super) struct Advance {
    pub(super) project: ProjectId,
    pub(super) old_size: u64,
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) edge: Vec<Hash>,
    pub(super) verdicts: BTreeMap<Verdict, u64>,
    pub(super) at: Timestamp,
}

/// Entries, tags, checkpoint and head, in one statement.
pub(super) async fn append(tx: &mut PgConnection, rows: &Rows<'_>, advance: &Advance) -> sqlx::Result<()> {
    let edge: Vec<u8> = advance.edge.iter().flat_map(|hash| hash.0).collect();
    sqlx::query(
        "WITH entries AS ( \
             INSERT INTO vault_entries (project_id, index, at, leaf_hash, kind, verdict, actor, session_id, subject, entry) \
             SELECT $1, $2 + n - 1, $7, leaf_hash, kind, verdict, actor, session_id, subject, entry \
             FROM unnest($8::bytea[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[]) \
                  WITH ORDINALITY AS row(leaf_hash, kind, verdict, actor, session_id, subject, entry, n) \
         ), tags AS ( \
             INSERT INTO vault_tags (project_id, tag, index) \
             SELECT $1, tag, index FROM unnest($15::text[], $16::bigint[]) AS row(tag, index) \
         ) \
         SELECT vault_advance($2, $3, $4, $5, $6, $7)",
    )
    .bind(advance.project)
    .bind(advance.old_size.cast_signed())
    .bind(advance.size.cast_signed())
    .bind(advance.root.0.as_slice())
    .bind(edge)
    .bind(Json(&advance.verdicts))
    .bind(advance.at)
    .bind(&rows.leaves)
    .bind(&rows.kinds)
    .bind(&rows.verdicts)
    .bind(&rows.actors)
    .bind(&rows.sessions)
    .bind(&rows.subjects)
    .bind(&rows.entries)
    .bind(&rows.tags)
    .bind(&rows.tagged)
    .execute(tx)
    .await?;
    Ok(())
}

/// Tiles of one level that are full now, of the entries or the tiles below, which stand already.
pub(super) async fn insert_tiles(
    tx: &mut PgConnection,
    project: ProjectId,
    level: u8,
    tiles: &[(u64, Hash)],
) -> sqlx::Result<()> {
    let of_entries = "INSERT INTO vault_tiles (project_id, level, n, root, hashes) \
         SELECT $1, $2, n, root, (SELECT string_agg(e.leaf_hash, '' ORDER BY e.index) FROM vault_entries e \
                                  WHERE e.project_id = $1 AND e.index >= n * 256 AND e.index < (n + 1) * 256) \
         FROM unnest($3::bigint[], $4::bytea[]) AS tile(n, root)";
    let of_tiles = "INSERT INTO vault_tiles (project_id, level, n, root, hashes) \
         SELECT $1, $2, tile.n, tile.root, (SELECT string_agg(b.root, '' ORDER BY b.n) FROM vault_tiles b \
                                            WHERE b.project_id = $1 AND b.level = $2 - 1 AND b.n >= tile.n * 256 AND b.n < (tile.n + 1) * 256) \
         FROM unnest($3::bigint[], $4::bytea[]) AS tile(n, root)";
    let (numbers, roots): (Vec<i64>, Vec<Vec<u8>>) =
        tiles.iter().map(|(n, root)| (n.cast_signed(), root.0.to_vec())).unzip();
    sqlx::query(if level == 0 { of_entries } else { of_tiles })
        .bind(project)
        .bind(i16::from(level))
        .bind(numbers)
        .bind(roots)
        .execute(tx)
        .await?;
    Ok(())
}

/// The keys that these subjects have, wrapped; none of those that have none.
pub(super) async fn subject_keys(
    tx: &mut PgConnection,
    project: ProjectId,
    subjects: &[&str],
) -> sqlx::Result<Vec<(String, Vec<u8>)>> {
    sqlx::query_as("SELECT subject, wrapped FROM vault_subject_keys WHERE project_id = $1 AND subject = ANY ($2)")
        .bind(project)
        .bind(subjects)
        .fetch_all(tx)
        .await
}

pub(super) async fn insert_subject_keys(
    tx: &mut PgConnection,
    project: ProjectId,
    keys: &[(&str, Vec<u8>)],
    at: Timestamp,
) -> sqlx::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let (subjects, wrapped): (Vec<&str>, Vec<&[u8]>) =
        keys.iter().map(|(subject, key)| (*subject, key.as_slice())).unzip();
    sqlx::query(
        "INSERT INTO vault_subject_keys (project_id, subject, wrapped, created_at) \
         SELECT $1, subject, wrapped, $4 FROM unnest($2::text[], $3::bytea[]) AS row(subject, wrapped)",
    )
    .bind(project)
    .bind(subjects)
    .bind(wrapped)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Index, subject and ciphertext of each.
pub(super) async fn insert_payloads(
    tx: &mut PgConnection,
    project: ProjectId,
    payloads: &[(u64, &str, Vec<u8>)],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_payloads (project_id, index, subject, sealed) \
         SELECT $1, index, subject, sealed FROM unnest($2::bigint[], $3::text[], $4::bytea[]) AS row(index, subject, sealed)",
    )
    .bind(project)
    .bind(payloads.iter().map(|(index, ..)| index.cast_signed()).collect::<Vec<_>>())
    .bind(payloads.iter().map(|(_, subject, _)| *subject).collect::<Vec<_>>())
    .bind(payloads.iter().map(|(.., sealed)| sealed.as_slice()).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// Index and end of each.
pub(super) async fn insert_proposals(
    tx: &mut PgConnection,
    project: ProjectId,
    proposals: &[(u64, Timestamp)],
) -> sqlx::Result<()> {
    let (indexes, ends): (Vec<i64>, Vec<Timestamp>) =
        proposals.iter().map(|(index, end)| (index.cast_signed(), *end)).unzip();
    sqlx::query(
        "INSERT INTO vault_proposals (project_id, index, expires_at) \
         SELECT $1, index, expires_at FROM unnest($2::bigint[], $3::timestamptz[]) AS row(index, expires_at)",
    )
    .bind(project)
    .bind(indexes)
    .bind(ends)
    .execute(tx)
    .await?;
    Ok(())
}

/// Settles a proposal that is open.
///
/// # Errors
/// One that is not, which the lock of the log's head keeps from happening; those of the database.
pub(super) async fn settle(
    tx: &mut PgConnection,
    project: ProjectId,
    proposal: u64,
    decided_by: u64,
    decision: Decision,
) -> Result<()> {
    let settled = sqlx::query(
        "UPDATE vault_proposals SET decided_by = $3, decision = $4 WHERE project_id = $1 AND index = $2 AND decided_by IS NULL",
    )
    .bind(project)
    .bind(proposal.cast_signed())
    .bind(decided_by.cast_signed())
    .bind(decision)
    .execute(tx)
    .await?;
    match settled.rows_affected() {
        1 => Ok(()),
        rows => Err(Error::internal(format!("settling proposal {proposal} met {rows} rows"))),
    }
}

/// Projects in which subjects may have keys: those with a log.
pub(super) async fn projects_with_keys(tx: &mut PgConnection) -> sqlx::Result<Vec<ProjectId>> {
    sqlx::query_scalar(
        "SELECT l.project_id FROM vault_logs l \
         WHERE EXISTS (SELECT FROM vault_subject_keys k WHERE k.project_id = l.project_id) ORDER BY l.project_id",
    )
    .fetch_all(tx)
    .await
}

/// The wrapped keys of subjects after `after`, in their order.
pub(super) async fn subject_keys_after(
    tx: &mut PgConnection,
    project: ProjectId,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<(String, Vec<u8>)>> {
    sqlx::query_as(
        "SELECT subject, wrapped FROM vault_subject_keys WHERE project_id = $1 AND subject > $2 ORDER BY subject LIMIT $3",
    )
    .bind(project)
    .bind(after)
    .bind(limit)
    .fetch_all(tx)
    .await
}

/// Replaces wrapped keys by others, where they are still as they were seen. How many were.
pub(super) async fn rewrap(
    tx: &mut PgConnection,
    (subjects, seen, wrapped): (&[&str], &[&[u8]], &[Vec<u8>]),
) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT vault_rewrap($1, $2, $3)").bind(subjects).bind(seen).bind(wrapped).fetch_one(tx).await
}

/// Destroys the subject's key and ciphertexts. How many seals had some; nothing when it has no key.
pub(super) async fn erase(tx: &mut PgConnection, subject: &str) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT vault_erase($1)").bind(subject).fetch_one(tx).await
}

pub(super) async fn insert_outbox(tx: &mut PgConnection, project: ProjectId, seal: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO vault_outbox (project_id, seal) VALUES ($1, $2)")
        .bind(project)
        .bind(seal)
        .execute(tx)
        .await?;
    Ok(())
}

/// What waits, in the order in which it was left.
pub(super) async fn outbox(
    tx: &mut PgConnection,
    project: ProjectId,
    limit: usize,
) -> sqlx::Result<Vec<(i64, String)>> {
    sqlx::query_as("SELECT id, seal FROM vault_outbox WHERE project_id = $1 ORDER BY id LIMIT $2")
        .bind(project)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(tx)
        .await
}

pub(super) async fn delete_outbox(tx: &mut PgConnection, ids: &[i64]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM vault_outbox WHERE id = ANY ($1)").bind(ids).execute(tx).await?;
    Ok(())
}
