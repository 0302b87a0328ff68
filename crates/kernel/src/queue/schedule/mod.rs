//! Schedules of periodic tasks. Time is cut into slots; a task runs at most once in each, whichever
//! worker asks and however often they restart.

mod model;
mod take;

pub use model::{Schedule, Scheduled, Slot};
pub use take::{finish, register, take_slots};
