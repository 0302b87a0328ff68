//! Types that document themselves.

use axum::extract::{Extension, State};

use super::operation_doc::OperationDoc;
use crate::{problem::Problem, state::AppState};

/// An extractor or a reply that documents what it takes or gives.
pub trait Describe {
    /// Adds its part to the operation's documentation.
    fn describe(doc: &mut OperationDoc);
}

impl Describe for State<AppState> {
    fn describe(_: &mut OperationDoc) {}
}

impl<T> Describe for Extension<T> {
    fn describe(_: &mut OperationDoc) {}
}

impl Describe for Problem {
    fn describe(_: &mut OperationDoc) {}
}

/// A reply or a problem; or an extractor whose problem the handler returns itself.
impl<T: Describe> Describe for Result<T, Problem> {
    fn describe(doc: &mut OperationDoc) {
        T::describe(doc);
    }
}
