//! Members of a `PATCH` body (RFC 7396): an absent member changes nothing, null removes the value.

use serde::{Deserialize, Deserializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// A member of a `PATCH` body. Needs `#[serde(default)]`. `Patch<T>` refuses null;
/// `Patch<Option<T>>` takes it for "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The member was absent: the value stays as it is.
    #[default]
    Keep,
    /// The value becomes this one.
    Set(T),
}

impl<T> Patch<T> {
    /// Returns the new value, if there is one.
    pub fn set(self) -> Option<T> {
        match self {
            Patch::Keep => None,
            Patch::Set(value) => Some(value),
        }
    }

    /// Returns a reference to the new value, if there is one.
    pub fn as_set(&self) -> Option<&T> {
        match self {
            Patch::Keep => None,
            Patch::Set(value) => Some(value),
        }
    }

    /// Returns the new value, or `stands`, the present one.
    pub fn or(self, stands: T) -> T {
        self.set().unwrap_or(stands)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Patch::Set)
    }
}

impl<T: PartialSchema> PartialSchema for Patch<T> {
    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: ToSchema> ToSchema for Patch<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        T::name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Change {
        #[serde(default)]
        name: Patch<String>,
        #[serde(default)]
        endpoint: Patch<Option<String>>,
    }

    fn read(text: &str) -> Result<Change, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn absent_is_not_null() {
        assert_eq!(read("{}").unwrap(), Change { name: Patch::Keep, endpoint: Patch::Keep });
        let cleared = read(r#"{"endpoint":null}"#).unwrap();
        assert_eq!(cleared, Change { name: Patch::Keep, endpoint: Patch::Set(None) });
        assert_eq!(cleared.endpoint.or(Some("x".to_owned())), None);
        assert!(read(r#"{"name":null}"#).is_err());
    }
}
