//! The one list of jobs, and the one list of periodic tasks.

use std::{collections::HashMap, fmt, future::Future, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use kernel::queue::{self, Claimed, Job, Outcome};

use crate::{
    context::{Attempt, Context},
    jobs,
    schedule::Periodic,
};

/// Every job this worker can run. Adding one: docs/adding-a-job.md.
pub fn jobs() -> Registry {
    Registry::default()
        .on(jobs::intents::deliver)
        .on(jobs::agents::retire)
        .on(jobs::identity::send_mail)
        .on(jobs::vault::expire_proposal)
        .on(jobs::vault::drain_outbox)
        .on(jobs::vault::digest_audit)
        .on(jobs::vault::check_log)
}

/// Every periodic task this worker runs.
pub fn schedule() -> Vec<Periodic> {
    vec![
        Periodic {
            name: "queue.prune_dead",
            every: Duration::from_secs(3600),
            run: |context| Box::pin(jobs::queue::prune_dead(context)),
        },
        Periodic {
            name: "intents.sweep",
            every: Duration::from_secs(5),
            run: |context| Box::pin(jobs::intents::sweep(context)),
        },
        Periodic {
            name: "intents.prune",
            every: Duration::from_secs(600),
            run: |context| Box::pin(jobs::intents::prune(context)),
        },
        Periodic {
            name: "signature.prune_nonces",
            every: Duration::from_secs(60),
            run: |context| Box::pin(jobs::signature::prune_nonces(context)),
        },
        Periodic {
            name: "idempotency.prune",
            every: Duration::from_secs(600),
            run: |context| Box::pin(jobs::idempotency::prune(context)),
        },
        Periodic {
            name: "vault.publish",
            every: Duration::from_secs(60),
            run: |context| Box::pin(jobs::vault::publish(context)),
        },
        Periodic {
            name: "vault.digest",
            every: Duration::from_secs(300),
            run: |context| Box::pin(jobs::vault::digest(context)),
        },
        Periodic {
            name: "identity.erase",
            every: Duration::from_secs(600),
            run: |context| Box::pin(jobs::identity::erase(context)),
        },
        Periodic {
            name: "identity.prune",
            every: Duration::from_secs(600),
            run: |context| Box::pin(jobs::identity::prune(context)),
        },
        Periodic {
            name: "vault.check",
            // Shortly after midnight, UTC.
            every: Duration::from_secs(24 * 3600),
            run: |context| Box::pin(jobs::vault::check(context)),
        },
    ]
}

/// What a handler may fail with; its text, and those of its sources, are kept with the job.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a handler returns.
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
    /// When that kind has a handler already: the list is wrong, and the start stops.
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
                traceparent: claimed.traceparent.clone(),
            };
            Ok(handler(context, job, attempt).map(|result| result.map_err(Into::into)).boxed())
        });
        let previous = self.entries.insert(J::KIND, Entry { run, backoff: J::backoff });
        assert!(previous.is_none(), "two handlers are registered for jobs of kind `{}`", J::KIND);
        self
    }

    /// Runs a claimed job to its end. A kind that nobody registered is a failure like any other: it is tried again later, perhaps by the
    /// newer worker that knows it.
    pub(crate) async fn run(&self, context: Context, claimed: &Claimed) -> JobResult {
        match self.entries.get(claimed.kind.as_str()) {
            Some(entry) => (entry.run)(context, claimed)?.await,
            None => Err(format!("this worker knows no job of kind `{}`", claimed.kind).into()),
        }
    }

    /// How long a job of `kind` waits after its `failed`-th failure.
    pub(crate) fn backoff(&self, kind: &str, failed: u16) -> Duration {
        self.entries.get(kind).map_or(queue::exponential as fn(u16) -> Duration, |entry| entry.backoff)(failed)
    }

    /// The kind as a label of metrics: one of ours, so that what others wrote into the table cannot make any number of them.
    pub(crate) fn label(&self, kind: &str) -> &'static str {
        self.entries.get_key_value(kind).map_or("unknown", |(known, _)| known)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}
