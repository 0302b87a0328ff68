//! What one request wants sealed: several seals, checked together.

use serde::Deserialize;
use utoipa::ToSchema;

use super::entry::{Draft, NewSeal};
use kernel::{
    Ids,
    caller::Actor,
    error::{Code, Error, Result, field_error},
};

/// The most seals of one request, and of one batch.
pub const MAX_SEALS: usize = 1_000;
/// How many broken rules one answer names.
const MOST_BROKEN: usize = 100;

/// Several seals, which are appended one after the other, all or none.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeals {
    /// 1 to 1,000 of them.
    #[schema(min_items = 1, max_items = 1000)]
    pub seals: Vec<NewSeal>,
    /// Append only if the log has so many entries: then nothing was sealed in between.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_099_511_627_776_u64)]
    pub expected_size: Option<u64>,
}

impl NewSeals {
    /// # Errors
    /// Values that break a rule, those of all seals, each by its place; no more than a hundred.
    pub(super) fn check(&self, ids: &Ids, actor: Actor) -> Result<Vec<Draft>> {
        if !(1..=MAX_SEALS).contains(&self.seals.len()) {
            let detail = format!("must be 1 to {MAX_SEALS} seals, are {}", self.seals.len());
            return Err(Error::field(Code::OutOfRange, "/seals", detail));
        }
        let (mut drafts, mut broken) = (Vec::with_capacity(self.seals.len()), Vec::new());
        for (n, seal) in self.seals.iter().enumerate() {
            let place = format!("/seals/{n}");
            if seal.expected_size.is_some() {
                let detail = "is for the whole request: put it beside `seals`";
                broken.push(field_error(Code::ValidationFailed, format!("{place}/expected_size"), detail));
            }
            match Draft::check(ids, actor, seal, &place) {
                Ok(draft) => drafts.push(draft),
                Err(error) if error.field_errors().is_empty() => return Err(error),
                Err(error) => broken.extend_from_slice(error.field_errors()),
            }
            if broken.len() >= MOST_BROKEN {
                broken.truncate(MOST_BROKEN);
                break;
            }
        }
        match broken.first() {
            Some(first) => Err(Error::fields(first.code, broken)),
            None => Ok(drafts),
        }
    }
}
