//! Taking slots.

use super::model::Scheduled;
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
/// newest of the worker's lease. Returns the names of those it took: the caller runs them, and no
/// other worker runs them in this slot.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn take_slots(db: &Db, epoch: i64, tasks: &[Scheduled<'_>]) -> Result<Vec<String>> {
    let mut tx = db.begin(DbScope::Worker).await?;
    let taken = store::take_slots(&mut tx, epoch, tasks).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Records how the newest run of a task ended.
///
/// # Errors
/// [`Code::Unavailable`](crate::Code::Unavailable).
pub async fn finish(db: &Db, name: &str, error: Option<&str>) -> Result<()> {
    let mut tx = db.begin(DbScope::Worker).await?;
    store::finish_schedule(&mut tx, name, error).await?;
    tx.commit().await?;
    Ok(())
}
