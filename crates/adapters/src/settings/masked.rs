//! Values that may hold a secret.

use std::fmt;

use sqlx::postgres::PgConnectOptions;

/// A value that must not be seen in logs, errors or `Debug`.
#[derive(Clone)]
pub struct Masked<T>(T);

impl<T> Masked<T> {
    /// Masks `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value itself, for the one place that uses it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A `postgres://` URL that was parsed; its password is not shown.
#[derive(Clone)]
pub struct DatabaseUrl(pub(super) PgConnectOptions);

impl DatabaseUrl {
    /// Returns the options to connect with.
    pub fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://***@{}:{}/…", self.0.get_host(), self.0.get_port())
    }
}
