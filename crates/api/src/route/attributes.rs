//! The attributes of a route that the edge reads.

use std::collections::HashMap;

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
};

/// The attributes of one operation. The default is for a path without a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// It asks who the caller is: then the caller is counted, and not the address.
    pub asks_who: bool,
    /// It may wait long for something to happen, and has places of its own.
    pub long_poll: bool,
    /// It reads or writes tables: it is refused until Postgres was seen to have every migration of
    /// this build.
    pub needs_schema: bool,
    /// Platforms call it every few seconds, and need an answer above all when everything else is
    /// full: nothing turns it away.
    pub probe: bool,
}

/// The attributes of every operation, by template and method.
#[derive(Debug, Default)]
pub struct RouteTable(HashMap<String, Vec<(Method, Attributes)>>);

impl RouteTable {
    /// Adds an operation.
    pub fn insert(&mut self, template: &str, method: Method, attributes: Attributes) {
        self.0.entry(template.to_owned()).or_default().push((method, attributes));
    }

    /// Returns the attributes of the operation that a routed request reached.
    pub fn find(&self, request: &Request) -> Attributes {
        let template = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let methods = self.0.get(template).into_iter().flatten();
        // axum answers HEAD as it does GET.
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        methods
            .into_iter()
            .find(|(known, _)| known == method)
            .map(|(_, attributes)| *attributes)
            .unwrap_or_default()
    }
}
