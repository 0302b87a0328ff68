//! The audit log: what was done and by whom, written in the commit of the change itself. The grants
//! of its table make it append-only.
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
