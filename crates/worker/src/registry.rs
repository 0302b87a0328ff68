//! The handlers of jobs, by kind.

use std::{collections::HashMap, fmt, future::Future, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use kernel::{
    caller::RequestContext,
    queue::{self, Claimed, Job, Outcome},
};

use crate::context::{Attempt, Context};

/// The error of a handler. Its text and those of its sources are stored with the job.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of a handler.
pub type JobResult = Result<Outcome, BoxError>;

type Run = Box<dyn Fn(Context, &Claimed) -> Result<BoxFuture<'static, JobResult>, BoxError> + Send + Sync>;

struct Entry {
    run: Run,
    backoff: fn(u16) -> Duration,
}

/// Handlers of jobs, by [`Job::KIND`].
#[derive(Default)]
pub struct Registry {
    entries: HashMap<&'static str, Entry>,
}

impl Registry {
    /// Adds the handler of one kind of job.
    ///
    /// # Panics
    /// Panics if that kind has a handler already, which stops the start.
    #[must_use]
    pub fn on<J, E, F, Fut>(mut self, handler: F) -> Self
    where
        J: Job,
        E: Into<BoxError>,
        F: Fn(Context, J, Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Outcome, E>> + Send + 'static,
    {
        let run: Run = Box::new(move |context, claimed| {
            let job = serde_json::from_str(claimed.payload.get())
                .map_err(|error| format!("the payload is not one of a `{}` job: {error}", J::KIND))?;
            let attempt = Attempt {
                job: claimed.claim.id,
                number: claimed.attempt,
                last: claimed.max_attempts,
                request: RequestContext::of_job(claimed.traceparent.clone()),
            };
            Ok(handler(context, job, attempt).map(|result| result.map_err(Into::into)).boxed())
        });
        let previous = self.entries.insert(J::KIND, Entry { run, backoff: J::backoff });
        assert!(previous.is_none(), "two handlers are registered for jobs of kind `{}`", J::KIND);
        self
    }

    /// Runs a claimed job to its end. An unknown kind is a failure like any other: the job is tried
    /// again later, perhaps by a newer worker that knows it.
    pub(crate) async fn run(&self, context: Context, claimed: &Claimed) -> JobResult {
        match self.entries.get(claimed.kind.as_str()) {
            Some(entry) => (entry.run)(context, claimed)?.await,
            None => Err(format!("this worker knows no job of kind `{}`", claimed.kind).into()),
        }
    }

    /// Returns the wait of a job of `kind` after its `failed`-th failure.
    pub(crate) fn backoff(&self, kind: &str, failed: u16) -> Duration {
        self.entries.get(kind).map_or(queue::exponential as fn(u16) -> Duration, |entry| entry.backoff)(
            failed,
        )
    }

    /// Returns the kind as a label of metrics. Only registered kinds are used, so that rows of the
    /// table cannot create any number of labels.
    pub(crate) fn label(&self, kind: &str) -> &'static str {
        self.entries.get_key_value(kind).map_or("unknown", |(known, _)| known)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}
