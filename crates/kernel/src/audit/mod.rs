//! The audit log: who did what, in the same commit as what they did. Append-only by the grants of
//! its table.
//!
//! The unit of work writes it; the areas read it.

mod change;
mod event;
mod new_event;
mod store;

pub use change::Change;
pub use event::{Event, first_id_at};
pub(crate) use new_event::NewEvent;
pub use store::of_project;
