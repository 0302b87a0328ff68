//! One operation: a handler, its documentation and its attributes.

use axum::{extract::DefaultBodyLimit, http::Method, routing::MethodRouter};
use kernel::error::Codes;
use utoipa::openapi::{HttpMethod, path::Paths};
use utoipa_axum::router::UtoipaMethodRouter;

use super::{
    attributes::Attributes,
    documented::Documented,
    operation_doc::{OperationDoc, Parts},
};
use crate::state::AppState;

/// Declares the operation of a handler that `#[utoipa::path]` annotates, with the codes of its use
/// case.
#[macro_export]
macro_rules! operation {
    ($($handler:ident)::+ $(, $errors:expr)* $(,)?) => {
        $crate::route::Operation::new(
            ::utoipa_axum::routes!($($handler)::+),
            &$($handler)::+,
            &[$($errors),*],
        )
    };
}

/// One operation.
pub struct Operation {
    pub(super) path: String,
    pub(super) method: HttpMethod,
    pub(super) parts: Parts,
    pub(super) router: MethodRouter<AppState>,
    pub(super) attributes: Attributes,
}

impl Operation {
    /// Documents a handler by its types. [`operation!`](crate::operation) calls it.
    pub fn new<H: Documented<Args>, Args>(
        (schemas, paths, router): UtoipaMethodRouter<AppState>,
        _: &H,
        errors: &[Codes],
    ) -> Self {
        let (path, method, operation) = only_one(paths);
        let mut doc = OperationDoc::new(&path, &method, operation, schemas);
        H::document(&mut doc);
        doc.own_codes(errors);
        let attributes =
            Attributes { asks_who: !doc.is_anonymous(), needs_schema: true, ..Attributes::default() };
        Self { path, method, parts: doc.into_parts(), router, attributes }
    }

    /// Lets the operation wait long for something to happen.
    #[must_use]
    pub fn long_poll(mut self) -> Self {
        self.attributes.long_poll = true;
        self
    }

    /// Serves the operation also before the database has this build's schema.
    #[must_use]
    pub fn without_schema(mut self) -> Self {
        self.attributes.needs_schema = false;
        self
    }

    /// Exempts the operation from every limit on requests.
    #[must_use]
    pub fn probe(mut self) -> Self {
        self.attributes.probe = true;
        self.without_schema()
    }

    /// Limits the body to another size than the router's.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.router = self.router.layer(DefaultBodyLimit::max(bytes));
        self
    }

    pub(super) fn http_method(&self) -> Method {
        match self.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Delete => Method::DELETE,
            HttpMethod::Options => Method::OPTIONS,
            HttpMethod::Head => Method::HEAD,
            HttpMethod::Patch => Method::PATCH,
            HttpMethod::Trace => Method::TRACE,
        }
    }
}

/// Returns the one operation among the paths that utoipa collected of one handler.
#[expect(clippy::panic, reason = "a handler without an operation stops the start")]
fn only_one(paths: Paths) -> (String, HttpMethod, utoipa::openapi::path::Operation) {
    let found = paths.paths.into_iter().find_map(|(path, item)| {
        let operations = [
            (HttpMethod::Get, item.get),
            (HttpMethod::Post, item.post),
            (HttpMethod::Put, item.put),
            (HttpMethod::Patch, item.patch),
            (HttpMethod::Delete, item.delete),
        ];
        operations.into_iter().find_map(|(method, operation)| Some((path.clone(), method, operation?)))
    });
    found.unwrap_or_else(|| panic!("a handler has no operation"))
}
