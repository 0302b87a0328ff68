//! `vault_query`: finds seals.

use chrono::{DateTime, Utc};
use kernel::{
    Code, Error, Result,
    caller::allow,
    page::{Page, PageQuery},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use vault::{Filter, Seal, Verdict};

use super::call::Call;
use crate::state::AppState;

/// The most seals that one page shows a model.
const MAX_SEALS: u16 = 50;
const DEFAULT_SEALS: u16 = 20;

/// The arguments: those of [`Filter`] and [`PageQuery`].
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryArguments {
    /// The kind.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    kind: Option<String>,
    /// The verdict.
    #[serde(default)]
    verdict: Option<Verdict>,
    /// The agent (`agt_…`), API key (`key_…`) or person (`usr_…`) that sealed it, or `system`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    actor: Option<String>,
    /// The conversation or run.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    session_id: Option<String>,
    /// The subject.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    subject: Option<String>,
    /// One of its tags.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    tag: Option<String>,
    /// Sealed then or later, RFC 3339.
    #[serde(default)]
    from: Option<DateTime<Utc>>,
    /// Sealed before then, RFC 3339.
    #[serde(default)]
    to: Option<DateTime<Utc>>,
    /// The most seals to return; 20 when left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before, with the same filters.
    #[serde(default)]
    #[schema(max_length = 22)]
    cursor: Option<String>,
}

/// A [`Page`] of seals.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QueryResult {
    /// The seals, newest first.
    data: Vec<Seal>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Finds seals.
pub(super) async fn query(state: &AppState, call: &Call) -> Result<Value> {
    let by = call.caller::<allow::VaultRead>()?;
    let arguments: QueryArguments = call.arguments()?;
    let QueryArguments { kind, verdict, actor, session_id, subject, tag, from, to, limit, cursor } =
        arguments;
    let limit = limit.unwrap_or(DEFAULT_SEALS);
    if !(1..=MAX_SEALS).contains(&limit) {
        let detail = format!("must be 1 to {MAX_SEALS}, was {limit}");
        return Err(Error::field(Code::OutOfRange, "/limit", detail));
    }
    let page = PageQuery { limit: Some(limit), cursor }.try_into()?;
    let filter = Filter { kind, verdict, actor, session_id, subject, tag, from, to };
    let Page { data, next_cursor } = vault::list(&state.vault, &by, &filter, page).await?;
    serde_json::to_value(QueryResult { data, next_cursor }).map_err(Error::internal)
}
