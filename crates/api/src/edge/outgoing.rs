//! A limit on the memory of answers that clients are slow to read.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use kernel::{Code, Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes of all large answers that are on their way, in KiB.
const BUDGET: usize = 256 * 1024;
/// Answers below this, in KiB, are not counted: the kernel takes them at once.
const LARGE: u64 = 64;
/// The time that an answer waits for others to be read.
const WAIT: Duration = Duration::from_secs(5);
/// The most answers that wait at once, since they are in memory already.
const WAITING: usize = 8;

/// The budget of large answers. A stream holds little at a time, and is not counted.
pub(super) struct Outgoing {
    budget: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self { budget: Arc::new(Semaphore::new(BUDGET)), waiting: Semaphore::new(WAITING) }
    }
}

/// Bytes that count until the last of them is written, or its connection is gone.
struct Counted {
    bytes: Bytes,
    _held: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Outgoing {
    /// Takes a large answer's bytes out of the budget for as long as they are in memory.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when other clients do not read theirs.
    pub(super) async fn admit(&self, response: Response) -> Result<Response> {
        let Some(kib) =
            response.body().size_hint().exact().map(|bytes| bytes / 1024).filter(|kib| *kib >= LARGE)
        else {
            return Ok(response);
        };
        let kib = u32::try_from(kib).unwrap_or(u32::MAX).min(BUDGET as u32);
        let held = self.hold(kib).await.ok_or_else(|| {
            let detail =
                "Too many large answers are on their way to clients that read them slowly; try again shortly";
            Error::new(Code::Overloaded, detail).retry_after(Duration::from_secs(5))
        })?;
        let (head, body) = response.into_parts();
        // The body is whole in memory already: this neither waits nor copies.
        let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
        Ok(Response::from_parts(head, Body::from(Bytes::from_owner(Counted { bytes, _held: held }))))
    }

    async fn hold(&self, kib: u32) -> Option<OwnedSemaphorePermit> {
        if let Ok(held) = Arc::clone(&self.budget).try_acquire_many_owned(kib) {
            return Some(held);
        }
        let _place = self.waiting.try_acquire().ok()?;
        tokio::time::timeout(WAIT, Arc::clone(&self.budget).acquire_many_owned(kib)).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_not_read_is_counted_until_it_is_gone() {
        let outgoing = Outgoing::default();
        let large = || Response::new(Body::from(vec![7; 140 * 1024 * 1024]));
        let first = outgoing.admit(large()).await.unwrap();
        assert_eq!(first.body().size_hint().exact(), Some(140 * 1024 * 1024));
        assert_eq!(outgoing.admit(large()).await.unwrap_err().code(), Code::Overloaded);
        outgoing.admit(Response::new(Body::from("small"))).await.unwrap();
        let mut kept = first.into_body().collect().await.unwrap().to_bytes();
        let rest = kept.split_off(100);
        drop(kept);
        assert_eq!(outgoing.admit(large()).await.unwrap_err().code(), Code::Overloaded, "some of it is left");
        // Only few answers wait, since they are in memory meanwhile.
        let waiting = futures::future::join_all((0..=WAITING).map(|_| async {
            let asked = tokio::time::Instant::now();
            outgoing.admit(large()).await.unwrap_err();
            asked.elapsed()
        }));
        let waited = waiting.await;
        assert_eq!(waited.iter().filter(|waited| **waited < WAIT).count(), 1, "{waited:?}");
        drop(rest);
        outgoing.admit(large()).await.unwrap();
    }
}
