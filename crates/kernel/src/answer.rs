//! Answers to requests that may be sent twice.

use std::marker::PhantomData;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Something that a response shows.
pub trait Resource: Serialize {
    /// True when a `GET` finds it, at its [`location`](Resource::location).
    const LOCATED: bool = false;
    /// True when it has a [`version`](Resource::version).
    const VERSIONED: bool = false;

    /// Returns the path of the `GET` that finds it, from `/v1` on; `None` where it has no address
    /// of its own.
    fn location(&self) -> Option<String> {
        None
    }

    /// Returns its version, from which the `ETag` is made; `None` where it has none.
    fn version(&self) -> Option<i32> {
        None
    }
}

/// The response to a request that may be sent twice, as it is stored and sent: a stored one reads
/// the same after a deploy that adds a field to `T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    head: Head,
    body: Bytes,
    replayed: bool,
    of: PhantomData<fn() -> T>,
}

/// The parts of a response beside its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// The path of the `GET` that finds the resource, from `/v1` on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The version of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
}

impl<T: Resource> Answer<T> {
    /// Returns the answer that something was created (201).
    ///
    /// # Errors
    /// `Internal` when it is no JSON.
    pub fn created(resource: &T) -> Result<Self> {
        Self::new(201, resource)
    }

    /// Returns the answer that something was changed, or is as it was asked for (200).
    ///
    /// # Errors
    /// As [`Answer::created`].
    pub fn ok(resource: &T) -> Result<Self> {
        Self::new(200, resource)
    }

    /// Returns the answer that something will be done (202).
    ///
    /// # Errors
    /// As [`Answer::created`].
    pub fn accepted(resource: &T) -> Result<Self> {
        Self::new(202, resource)
    }

    fn new(status: u16, resource: &T) -> Result<Self> {
        let head = Head { status, location: resource.location(), version: resource.version() };
        let body = serde_json::to_vec(resource).map_err(Error::internal)?.into();
        Ok(Self { head, body, replayed: false, of: PhantomData })
    }
}

impl<T> Answer<T> {
    /// Returns the status and the values of the headers.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the body, which is JSON.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns true when the answer was given before, and nothing was done now.
    pub fn is_replayed(&self) -> bool {
        self.replayed
    }

    /// Marks an answer that was given before and is now built anew, because it is not stored whole.
    #[must_use]
    pub fn again(self) -> Self {
        Self { replayed: true, ..self }
    }

    /// Returns the bytes that are stored: the head as a line of JSON, and the body.
    pub(crate) fn to_stored(&self) -> Result<Vec<u8>> {
        let mut stored = serde_json::to_vec(&self.head).map_err(Error::internal)?;
        stored.push(b'\n');
        stored.extend_from_slice(&self.body);
        Ok(stored)
    }

    /// Reads the bytes that [`Answer::to_stored`] wrote, in this build or an older one.
    pub(crate) fn replayed(stored: &[u8]) -> Result<Self> {
        let unreadable = || Error::internal("a stored response cannot be read");
        let end = stored.iter().position(|byte| *byte == b'\n').ok_or_else(unreadable)?;
        let (head, body) = stored.split_at(end);
        let head = serde_json::from_slice(head).map_err(Error::internal)?;
        let body = Bytes::copy_from_slice(body.get(1..).ok_or_else(unreadable)?);
        Ok(Self { head, body, replayed: true, of: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: &'static str,
    }

    impl Resource for Thing {
        fn location(&self) -> Option<String> {
            Some(format!("/v1/things/{}", self.name))
        }

        fn version(&self) -> Option<i32> {
            Some(1)
        }
    }

    #[test]
    fn an_answer_is_replayed_as_it_was_given() {
        let first = Answer::created(&Thing { name: "a\nb" }).unwrap();
        let again = Answer::<Thing>::replayed(&first.to_stored().unwrap()).unwrap();
        assert_eq!((again.head(), again.body()), (first.head(), first.body()));
        assert!(again.is_replayed() && !first.is_replayed());
    }

    #[test]
    fn an_answer_of_an_older_build_keeps_its_bytes() {
        let again = Answer::<Thing>::replayed(b"{\"status\":201}\n{\"name\":\"old\",\"gone\":1}").unwrap();
        assert_eq!(again.body().as_ref(), b"{\"name\":\"old\",\"gone\":1}");
        assert_eq!(*again.head(), Head { status: 201, location: None, version: None });
    }

    #[test]
    fn what_is_no_stored_answer_is_refused() {
        for wrong in [b"".as_slice(), b"{}", b"x\n{}"] {
            assert!(Answer::<Thing>::replayed(wrong).is_err());
        }
    }
}
