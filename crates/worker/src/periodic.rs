//! Periodic tasks.

use std::{fmt, future::Future, sync::Arc};

use futures::future::{BoxFuture, FutureExt};
use kernel::queue::schedule::Schedule;

use crate::context::Context;

type Run = Arc<dyn Fn(Context) -> BoxFuture<'static, kernel::Result<()>> + Send + Sync>;

/// A task that runs by a schedule. If it fails, or dies with its worker, it runs again in its next
/// slot. So a task whose work must not be missed enqueues jobs.
#[derive(Clone)]
pub struct Periodic {
    /// The stable name in the `schedules` table; `<area>.<verb>`.
    pub(crate) name: &'static str,
    pub(crate) schedule: Schedule,
    pub(crate) run: Run,
}

impl Periodic {
    /// Creates a task. A run is stopped when it takes longer than its slot, or than five minutes.
    pub fn new<F, Fut>(name: &'static str, schedule: Schedule, run: F) -> Self
    where
        F: Fn(Context) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = kernel::Result<()>> + Send + 'static,
    {
        Self { name, schedule, run: Arc::new(move |context| run(context).boxed()) }
    }
}

impl fmt::Debug for Periodic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.schedule)
    }
}
