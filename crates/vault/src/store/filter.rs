//! The SQL of filtered lists and counts.

use kernel::ids::ProjectId;
use sqlx::PgConnection;

use crate::model::{Filter, SealRow};

/// The index that the log had reached before the time `$at`: one step down the index of checkpoints
/// by time, since sizes grow with it.
macro_rules! reached {
    ($at:literal) => {
        concat!(
            "COALESCE((SELECT c.size FROM vault_checkpoints c WHERE c.project_id = $1 AND c.at < ",
            $at,
            " ORDER BY c.at DESC, c.size DESC LIMIT 1), 0)"
        )
    };
}

/// `$columns` of the entries `e` that a [`Filter`] selects. A time is first turned into the index
/// that the log had reached by then, since times never go back in a log; so every condition has an
/// index of Postgres that ends with the order wanted.
macro_rules! filtered {
    ($columns:literal, $tagged:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM vault_entries e ",
            $tagged,
            " WHERE e.project_id = $1 AND ($2::bigint IS NULL OR e.index < $2) \
             AND ($3::text IS NULL OR e.kind = $3) AND ($4::text IS NULL OR e.verdict = $4) \
             AND ($5::text IS NULL OR e.actor = $5) AND ($6::text IS NULL OR e.session_id = $6) \
             AND ($7::text IS NULL OR e.subject = $7) \
             AND ($9::timestamptz IS NULL OR e.index >= ",
            reached!("$9"),
            ") AND ($10::timestamptz IS NULL OR e.index < ",
            reached!("$10"),
            ") ",
            $rest
        )
    };
}

/// One statement for filters with a tag, and one for those without.
macro_rules! by_tag_or_not {
    ($filter:expr, $columns:literal, $rest:literal, $before:literal, $after:literal) => {
        match $filter.tag {
            Some(_) => concat!(
                $before,
                filtered!(
                    $columns,
                    "JOIN vault_tags t ON t.project_id = $1 AND t.tag = $8 AND t.index = e.index",
                    $rest
                ),
                $after
            ),
            // Postgres wants to know the type of every parameter.
            None => {
                concat!($before, filtered!($columns, "JOIN (VALUES ($8::text)) none ON true", $rest), $after)
            }
        }
    };
}

/// Binds a filter's values to a statement, which is planned anew each time: a plan that serves one
/// filter serves another badly.
macro_rules! bind {
    ($query:expr, $project:expr, $before:expr, $filter:expr, $limit:expr) => {
        $query
            .persistent(false)
            .bind($project)
            .bind($before)
            .bind(&$filter.kind)
            .bind($filter.verdict.map(|verdict| verdict.as_str()))
            .bind(&$filter.actor)
            .bind(&$filter.session_id)
            .bind(&$filter.subject)
            .bind(&$filter.tag)
            .bind($filter.from)
            .bind($filter.to)
            .bind($limit)
    };
}

/// Returns the seals that the filter selects, newest first.
pub(crate) async fn list(
    tx: &mut PgConnection,
    project: ProjectId,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<SealRow>> {
    let sql =
        by_tag_or_not!(filter, "e.index, e.leaf_hash, e.entry", "ORDER BY e.index DESC LIMIT $11", "", "");
    bind!(sqlx::query_as(sql), project, before, filter, limit).fetch_all(tx).await
}

/// Returns, for each verdict, how many of the newest `limit` seals that the filter selects have it.
pub(crate) async fn counts(
    tx: &mut PgConnection,
    project: ProjectId,
    filter: &Filter,
    limit: i64,
) -> sqlx::Result<Vec<(String, i64)>> {
    let sql = by_tag_or_not!(
        filter,
        "e.verdict",
        "ORDER BY e.index DESC LIMIT $11",
        "SELECT verdict, count(*) FROM (",
        ") wanted GROUP BY verdict"
    );
    bind!(sqlx::query_as(sql), project, None::<i64>, filter, limit).fetch_all(tx).await
}
