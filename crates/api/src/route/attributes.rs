//! What the edge wants to know of a route.

use std::collections::HashMap;

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
};

/// Attributes of one operation. The default is that of a path that no route has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// It asks who the caller is: then the caller is counted, and not the address.
    pub asks_who: bool,
    /// It may wait long for something to happen, and has places of its own.
    pub long_poll: bool,
    /// It reads or writes what the schema describes: it is refused until Postgres was seen to have
    /// every migration of this build.
    pub needs_schema: bool,
    /// It is asked by platforms every few seconds, and answers above all when the rest is full:
    /// nothing turns it away.
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
