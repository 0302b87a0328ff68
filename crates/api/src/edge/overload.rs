//! Turns requests away while there are too many, rather than letting all of them wait, and ends
//! those that take too long.

use std::time::Duration;

use kernel::{Code, Error, Result};
use tokio::sync::Semaphore;

/// The most requests that are worked on at once.
const REQUESTS: usize = 1_024;
/// The most requests that wait for their inbox at once: they cost memory, and a query now and then.
const LONG_POLLS: usize = 10_000;
/// The time that a request may take; Postgres cancels a statement earlier.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The time that a request that waits for its inbox may take.
const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(60);

/// The places for requests.
pub(super) struct Slots {
    requests: Semaphore,
    long_polls: Semaphore,
}

impl Slots {
    /// Creates the places, all of them free.
    pub(super) fn new() -> Self {
        Self::of(REQUESTS, LONG_POLLS)
    }

    fn of(requests: usize, long_polls: usize) -> Self {
        Self { requests: Semaphore::new(requests), long_polls: Semaphore::new(long_polls) }
    }

    /// Does the work of a request, if a place is free, and while its time is not over.
    ///
    /// # Errors
    /// [`Code::Overloaded`]; [`Code::Unavailable`] when the time is over; the errors of the work.
    pub(super) async fn within<T>(
        &self,
        is_long_poll: bool,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let (places, timeout) =
            if is_long_poll { (&self.long_polls, LONG_POLL_TIMEOUT) } else { (&self.requests, TIMEOUT) };
        let Ok(_place) = places.try_acquire() else {
            let error =
                Error::new(Code::Overloaded, "Too many requests are being worked on; try again shortly");
            return Err(error.retry_after(Duration::from_secs(1)));
        };
        tokio::time::timeout(timeout, work).await.unwrap_or_else(|elapsed| Err(Error::unavailable(elapsed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn code(slots: &Slots, is_long_poll: bool) -> Option<Code> {
        slots.within(is_long_poll, async { Ok(()) }).await.err().map(|error| error.code())
    }

    #[tokio::test]
    async fn when_it_is_full_long_polls_have_places_of_their_own() {
        let slots = Slots::of(1, 1);
        tokio::select! {
            biased;
            _ = slots.within(false, std::future::pending::<Result<()>>()) => panic!("it waits for ever"),
            () = async {
                assert_eq!(code(&slots, false).await, Some(Code::Overloaded));
                assert_eq!(code(&slots, true).await, None);
            } => {}
        }
        assert_eq!(code(&slots, false).await, None, "the place is free again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_ended() {
        let ended = Slots::new().within(false, std::future::pending::<Result<()>>()).await;
        assert_eq!(ended.unwrap_err().code(), Code::Unavailable);
    }
}
