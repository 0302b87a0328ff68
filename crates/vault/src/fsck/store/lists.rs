//! The SQL of the rows beside the entries: tags, personal data, proposals.

use std::ops::Range;

use futures::stream::BoxStream;
use kernel::ids::ProjectId;
use sqlx::PgConnection;

use crate::{
    fsck::model::{EntryTag, PersonalRow, ProposalRow, Settled, TagCount, TagRow},
    model::SUBJECT_ERASED,
};

/// Returns those of the wanted tags that do not exist. Each is looked up by itself: a join could
/// read all tags for each batch.
pub(in crate::fsck) async fn missing_tags(
    tx: &mut PgConnection,
    project: ProjectId,
    wanted: &[EntryTag],
) -> sqlx::Result<Vec<EntryTag>> {
    sqlx::query_as(
        "SELECT w.index, w.tag FROM unnest($2::bigint[], $3::text[]) AS w(index, tag) \
         WHERE (SELECT true FROM vault_tags t \
                WHERE t.project_id = $1 AND t.tag = w.tag AND t.index = w.index LIMIT 1) IS NULL",
    )
    .bind(project)
    .bind(wanted.iter().map(|tag| tag.index).collect::<Vec<_>>())
    .bind(wanted.iter().map(|tag| tag.tag.as_str()).collect::<Vec<_>>())
    .fetch_all(tx)
    .await
}

/// Counts the tags of entries below `size`.
pub(in crate::fsck) async fn count_tags(
    tx: &mut PgConnection,
    project: ProjectId,
    size: u64,
) -> sqlx::Result<TagCount> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE index < $2) AS count, \
                min(index) FILTER (WHERE index >= GREATEST($2, \
                    COALESCE((SELECT size FROM vault_logs WHERE project_id = $1), 0))) AS beyond \
         FROM vault_tags WHERE project_id = $1",
    )
    .bind(project)
    .bind(size.cast_signed())
    .fetch_one(tx)
    .await
}

/// Returns tags of entries below `size` that follow `after`, in their own order.
pub(in crate::fsck) fn tags_after<'a>(
    tx: &'a mut PgConnection,
    project: ProjectId,
    size: u64,
    after: &'a EntryTag,
    limit: i64,
) -> BoxStream<'a, sqlx::Result<TagRow>> {
    sqlx::query_as(
        "SELECT t.tag, t.index, e.entry FROM vault_tags t \
              LEFT JOIN vault_entries e ON e.project_id = t.project_id AND e.index = t.index \
         WHERE t.project_id = $1 AND t.index < $2 AND (t.tag, t.index) > ($3, $4) \
         ORDER BY t.tag, t.index LIMIT $5",
    )
    .bind(project)
    .bind(size.cast_signed())
    .bind(after.tag.as_str())
    .bind(after.index)
    .bind(limit)
    .fetch(tx)
}

/// Returns the personal data of entries of a range of indexes, one at a time.
pub(in crate::fsck) fn personal(
    tx: &mut PgConnection,
    project: ProjectId,
    range: Range<u64>,
) -> BoxStream<'_, sqlx::Result<PersonalRow>> {
    sqlx::query_as(
        "SELECT p.index, p.subject, p.ciphertext, k.wrapped FROM vault_payloads p \
              LEFT JOIN vault_subject_keys k ON k.project_id = p.project_id AND k.subject = p.subject \
         WHERE p.project_id = $1 AND p.index >= $2 AND p.index < $3 ORDER BY p.index",
    )
    .bind(project)
    .bind(range.start.cast_signed())
    .bind(range.end.cast_signed())
    .fetch(tx)
}

/// Returns those of `subjects` that were ever erased, each with the newest entry that says so.
pub(in crate::fsck) async fn erased(
    tx: &mut PgConnection,
    project: ProjectId,
    subjects: &[&str],
) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "SELECT w.subject, e.index FROM unnest($2::text[]) AS w(subject) CROSS JOIN LATERAL ( \
             SELECT index FROM vault_entries \
             WHERE project_id = $1 AND subject = w.subject AND kind = $3 \
             ORDER BY index DESC LIMIT 1) e",
    )
    .bind(project)
    .bind(subjects)
    .bind(SUBJECT_ERASED)
    .fetch_all(tx)
    .await
}

/// Returns the proposals of a range of indexes, one at a time.
pub(in crate::fsck) fn proposals(
    tx: &mut PgConnection,
    project: ProjectId,
    range: Range<u64>,
) -> BoxStream<'_, sqlx::Result<ProposalRow>> {
    sqlx::query_as(
        "SELECT p.index, p.expires_at, p.decision, p.decided_by, d.entry AS decider FROM vault_proposals p \
              LEFT JOIN vault_entries d ON d.project_id = p.project_id AND d.index = p.decided_by \
         WHERE p.project_id = $1 AND p.index >= $2 AND p.index < $3 ORDER BY p.index",
    )
    .bind(project)
    .bind(range.start.cast_signed())
    .bind(range.end.cast_signed())
    .fetch(tx)
}

/// Returns those of `settled` that the list of proposals records differently.
pub(in crate::fsck) async fn not_settled_so(
    tx: &mut PgConnection,
    project: ProjectId,
    settled: &[Settled],
) -> sqlx::Result<Vec<Settled>> {
    sqlx::query_as(
        "SELECT w.proposal, w.decider FROM unnest($2::bigint[], $3::bigint[]) AS w(proposal, decider) \
         WHERE (SELECT p.decided_by FROM vault_proposals p \
                WHERE p.project_id = $1 AND p.index = w.proposal LIMIT 1) IS DISTINCT FROM w.decider",
    )
    .bind(project)
    .bind(settled.iter().map(|settled| settled.proposal).collect::<Vec<_>>())
    .bind(settled.iter().map(|settled| settled.decider).collect::<Vec<_>>())
    .fetch_all(tx)
    .await
}
