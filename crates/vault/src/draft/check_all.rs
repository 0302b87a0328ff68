//! The rules for the seals of one request, checked together.

use kernel::{
    Ids,
    caller::Actor,
    error::{Code, Error, Result, field_error},
};

use super::{body::Draft, check::check};
use crate::model::{MAX_SEALS, NewSeals};

/// The most broken rules that one answer names.
const MAX_REPORTED: usize = 100;

/// Checks the seals that `actor` sends in one request.
///
/// # Errors
/// [`Code::OutOfRange`] for their number; otherwise the broken rules of all seals as [`check`]
/// names them, at most a hundred.
pub(crate) fn check_all(ids: &Ids, actor: Actor, new: &NewSeals) -> Result<Vec<Draft>> {
    if !(1..=MAX_SEALS).contains(&new.seals.len()) {
        let detail = format!("must be 1 to {MAX_SEALS} seals, was {}", new.seals.len());
        return Err(Error::field(Code::OutOfRange, "/seals", detail));
    }
    let (mut drafts, mut broken) = (Vec::with_capacity(new.seals.len()), Vec::new());
    for (n, seal) in new.seals.iter().enumerate() {
        let place = format!("/seals/{n}");
        if seal.expected_size.is_some() {
            let detail = "applies to the whole request: put it beside `seals`";
            broken.push(field_error(Code::ValidationFailed, format!("{place}/expected_size"), detail));
        }
        match check(ids, actor, seal, &place) {
            Ok(draft) => drafts.push(draft),
            Err(error) if error.field_errors().is_empty() => return Err(error),
            Err(error) => broken.extend_from_slice(error.field_errors()),
        }
        if broken.len() >= MAX_REPORTED {
            broken.truncate(MAX_REPORTED);
            break;
        }
    }
    match broken.first() {
        Some(first) => Err(Error::fields(first.code, broken)),
        None => Ok(drafts),
    }
}
