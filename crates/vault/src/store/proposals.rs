//! The SQL of proposals.

use kernel::{
    clock::Timestamp,
    error::{Error, Result},
    ids::ProjectId,
};
use sqlx::PgConnection;

use crate::model::{Decision, NewProposal, ProposalRow};

/// Inserts open proposals.
pub(crate) async fn insert(
    tx: &mut PgConnection,
    project: ProjectId,
    proposals: &[NewProposal],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO vault_proposals (project_id, index, expires_at) \
         SELECT $1, index, expires_at \
         FROM unnest($2::bigint[], $3::timestamptz[]) AS row(index, expires_at)",
    )
    .bind(project)
    .bind(proposals.iter().map(|proposal| proposal.index.cast_signed()).collect::<Vec<_>>())
    .bind(proposals.iter().map(|proposal| proposal.expires_at).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

/// Settles an open proposal by the seal `decided_by`.
///
/// # Errors
/// `Internal` when it is not open, which the lock of the log's head rules out.
pub(crate) async fn settle(
    tx: &mut PgConnection,
    project: ProjectId,
    proposal: u64,
    decided_by: u64,
    decision: Decision,
) -> Result<()> {
    let settled = sqlx::query(
        "UPDATE vault_proposals SET decided_by = $3, decision = $4 \
         WHERE project_id = $1 AND index = $2 AND decided_by IS NULL",
    )
    .bind(project)
    .bind(proposal.cast_signed())
    .bind(decided_by.cast_signed())
    .bind(decision)
    .execute(tx)
    .await?;
    match settled.rows_affected() {
        1 => Ok(()),
        rows => Err(Error::internal(format!("settling proposal {proposal} changed {rows} rows"))),
    }
}

/// A proposal and its seal.
macro_rules! proposals {
    ($rest:literal) => {
        concat!(
            "SELECT e.index, e.leaf_hash, e.entry, p.expires_at, p.decision, p.decided_by \
             FROM vault_proposals p \
             JOIN vault_entries e ON e.project_id = p.project_id AND e.index = p.index \
             WHERE p.project_id = $1 AND ",
            $rest
        )
    };
}

/// Selects a page of proposals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection {
    /// Only those that can be decided at `now`, or only those that cannot.
    pub(crate) open: Option<bool>,
    pub(crate) now: Timestamp,
    /// Only indexes below it.
    pub(crate) before: Option<i64>,
    pub(crate) limit: i64,
}

/// Returns proposals, newest first.
pub(crate) async fn list(
    tx: &mut PgConnection,
    project: ProjectId,
    selection: Selection,
) -> sqlx::Result<Vec<ProposalRow>> {
    // Each has a text of its own, so that Postgres uses the index of open ones.
    let sql = match selection.open {
        Some(true) => proposals!(
            "p.index < $2 AND p.decided_by IS NULL AND p.expires_at > $4 ORDER BY p.index DESC LIMIT $3"
        ),
        Some(false) => proposals!(
            "p.index < $2 AND (p.decided_by IS NOT NULL OR p.expires_at <= $4) \
             ORDER BY p.index DESC LIMIT $3"
        ),
        None => proposals!("p.index < $2 AND $4::timestamptz IS NOT NULL ORDER BY p.index DESC LIMIT $3"),
    };
    let query = sqlx::query_as(sql).bind(project).bind(selection.before.unwrap_or(i64::MAX));
    query.bind(selection.limit).bind(selection.now).fetch_all(tx).await
}

/// Returns the proposal at `index`.
pub(crate) async fn find(
    tx: &mut PgConnection,
    project: ProjectId,
    index: u64,
) -> sqlx::Result<Option<ProposalRow>> {
    let sql = proposals!("p.index = $2");
    sqlx::query_as(sql).bind(project).bind(index.cast_signed()).fetch_optional(tx).await
}
