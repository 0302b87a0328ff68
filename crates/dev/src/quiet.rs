//! What use cases are handed, where nobody waits to be woken.

use std::sync::Arc;

use domain::{Clock, Core, Db, Ids};

/// On the machine's clock, with hints to nobody.
pub fn core(db: Db) -> Core {
    let clock = Clock::system();
    Core { db, ids: Ids::new(clock.clone()), clock, wake: Arc::new(adapters::wake::Silent) }
}
