//! Taking slots.

use super::model::{Scheduled, Slot};
use crate::{
    db::{Db, DbScope},
    error::Result,
    queue::store,
};

/// Adds the tasks that are not known yet. The first run of a new one waits for its next slot: a
/// deploy starts nothing.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn register(db: &Db, tasks: &[Scheduled<'_>]) -> Result<()> {
    let mut tx = db.begin(DbScope::Worker).await?;
    store::register_schedules(&mut tx, tasks).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes the current slot of each of these tasks that nobody has taken yet, if `epoch` is still the
/// newest of the worker's lease. Returns those it took: the caller runs their tasks, and no
/// other worker runs them in this slot.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn take_slots(db: &Db, epoch: i64, tasks: &[Scheduled<'_>]) -> Result<Vec<Slot>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let taken = store::take_slots(&mut tx, epoch, tasks).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Records how the run in `slot` ended, unless a newer slot was taken meanwhile: a run that ends
/// late says nothing of a newer one.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn finish(db: &Db, slot: &Slot, error: Option<&str>) -> Result<()> {
    let mut tx = db.begin(DbScope::Worker).await?;
    store::finish_schedule(&mut tx, slot, error).await?;
    tx.commit().await?;
    Ok(())
}
