//! Slots of periodic tasks. Time is cut into slots of a task's period, counted from 1970; a task runs at most once in each, whichever
//! worker asks and however often they restart.

use std::time::Duration;

use super::store;
use crate::{Caller, Db, error::Result};

/// Makes the tasks of these names known. A new one is due at once.
///
/// # Errors
/// Those of the database.
pub async fn register(db: &Db, names: &[&str]) -> Result<()> {
    let mut tx = db.begin(Caller::Worker).await?;
    store::register_schedules(&mut tx, names).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes the current slot of each of these tasks that nobody has taken yet, if `epoch` is still the newest of the worker's lease.
/// Returns the names of those it took: the caller runs them, and nobody else will in this slot.
///
/// # Errors
/// Those of the database.
pub async fn take_slots(db: &Db, epoch: i64, tasks: &[(&str, Duration)]) -> Result<Vec<String>> {
    let mut tx = db.begin(Caller::Worker).await?;
    let taken = store::take_slots(&mut tx, epoch, tasks).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Notes how the newest run of a task ended.
///
/// # Errors
/// Those of the database.
pub async fn finish(db: &Db, name: &str, error: Option<&str>) -> Result<()> {
    let mut tx = db.begin(Caller::Worker).await?;
    store::finish_schedule(&mut tx, name, error).await?;
    tx.commit().await?;
    Ok(())
}
