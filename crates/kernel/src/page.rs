//! Cursor pagination: `?limit=&cursor=` in, `{data, next_cursor}` out.
//!
//! Lists are ordered by identifier, the newest first. UUIDv7 order is creation order, and a row
//! never changes its identifier, so a cursor stays valid while rows are written: a new row comes
//! before the first page, never into the middle of a later one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Code, Error, Result};

/// The most rows one page holds.
pub const MAX_LIMIT: u16 = 200;
/// The rows a page holds when the query does not say.
pub const DEFAULT_LIMIT: u16 = 50;

/// The part of a list that a request asks for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The most rows to return, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before; left out for the first page.
    #[param(max_length = 22, pattern = "^[A-Za-z0-9_-]{21}[AQgw]$")]
    pub cursor: Option<String>,
}

/// A [`PageQuery`] that was checked: at most `limit` rows whose identifier is below `before`.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// 1 to [`MAX_LIMIT`].
    pub limit: u16,
    /// The identifier at which the page before ended.
    pub before: Option<Uuid>,
}

impl TryFrom<PageQuery> for PageRequest {
    type Error = Error;

    fn try_from(query: PageQuery) -> Result<Self> {
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let detail = format!("must be 1 to {MAX_LIMIT}, was {limit}");
            return Err(Error::field(Code::OutOfRange, "limit", detail));
        }
        let before = query.cursor.as_deref().map(decode).transpose()?;
        Ok(Self { limit, before })
    }
}

impl PageRequest {
    /// Returns the limit of the SQL query: one row more than the page holds, which tells whether
    /// another page follows.
    pub fn fetch(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Cuts the extra row off and makes the cursor of the next page from the last row that stays.
    pub fn page<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let more = rows.len() > usize::from(self.limit);
        rows.truncate(usize::from(self.limit));
        let next_cursor = if more { rows.last().map(|row| encode(id(row))) } else { None };
        Page { data: rows, next_cursor }
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// The rows, newest first.
    pub data: Vec<T>,
    /// The `cursor` of the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Returns the same page with each row turned into what the wire shows.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(turn).collect(), next_cursor: self.next_cursor }
    }
}

fn encode(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

fn decode(cursor: &str) -> Result<Uuid> {
    URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or_else(|| {
        Error::field(Code::InvalidCursor, "cursor", "must be a `next_cursor` of this list, unchanged")
    })
}
