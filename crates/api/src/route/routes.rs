//! The routes as they are collected, and the router and document built of them.

use axum::{Router, http::Method, routing::MethodRouter};
use kernel::Code;
use utoipa::openapi::{OpenApi, PathItem};

use super::{
    attributes::{Attributes, RouteTable},
    operation::Operation,
    problems, shared,
};
use crate::state::AppState;

/// A set of routes.
#[derive(Default)]
pub struct Routes {
    operations: Vec<Placed>,
    plain: Vec<Plain>,
}

/// An operation and the paths that it answers under.
struct Placed {
    operation: Operation,
    /// The templates that it answers under; the document has the first.
    templates: Vec<String>,
}

/// A route that the document does not have.
struct Plain {
    templates: Vec<String>,
    router: MethodRouter<AppState>,
    methods: Vec<Method>,
    attributes: Attributes,
}

/// The result of building routes.
pub struct Built {
    /// The router.
    pub router: Router<AppState>,
    /// The OpenAPI document.
    pub document: OpenApi,
    /// The attributes that the edge reads.
    pub table: RouteTable,
    /// The codes of each operation.
    pub codes: Vec<OperationCodes>,
}

/// One operation's codes, for the checks that the document is right.
#[derive(Debug, Clone)]
pub struct OperationCodes {
    /// The `operationId`.
    pub id: String,
    /// The path's template.
    pub path: String,
    /// The method.
    pub method: Method,
    /// Codes of extractors, replies and the edge.
    pub inherited: Vec<Code>,
    /// Codes of the use case.
    pub own: Vec<Code>,
}

impl Routes {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation.
    #[must_use]
    pub fn add(mut self, operation: Operation) -> Self {
        let templates = vec![operation.path.clone()];
        self.operations.push(Placed { operation, templates });
        self
    }

    /// Limits the bodies of all operations so far.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        let limit = |placed: Placed| Placed { operation: placed.operation.body_limit(bytes), ..placed };
        self.operations = self.operations.into_iter().map(limit).collect();
        self
    }

    /// Adds a route that is not an operation of the API: a page, or one that OpenAPI cannot
    /// describe.
    #[must_use]
    pub fn plain(
        mut self,
        template: &str,
        methods: impl Into<Vec<Method>>,
        router: MethodRouter<AppState>,
        attributes: Attributes,
    ) -> Self {
        self.plain.push(Plain {
            templates: vec![template.to_owned()],
            router,
            methods: methods.into(),
            attributes,
        });
        self
    }

    /// Adds all routes of another set.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        self.plain.extend(other.plain);
        self
    }

    /// Puts every route under each of `prefixes`, of which the document has the first.
    #[must_use]
    pub fn under(mut self, prefixes: &[&str]) -> Self {
        let under = |templates: &mut Vec<String>| {
            let all = prefixes
                .iter()
                .flat_map(|prefix| templates.iter().map(move |path| format!("{prefix}{path}")));
            *templates = all.collect();
        };
        self.operations.iter_mut().for_each(|placed| under(&mut placed.templates));
        self.plain.iter_mut().for_each(|plain| under(&mut plain.templates));
        self
    }

    /// Builds the router, the table and the document, whose frame is given.
    pub fn build(self, mut document: OpenApi) -> Built {
        let (mut router, mut table, mut codes) = (Router::new(), RouteTable::default(), Vec::new());
        for Plain { templates, router: methods_router, methods, attributes } in self.plain {
            for template in &templates {
                router = router.route(template, methods_router.clone());
                methods.iter().for_each(|method| table.insert(template, method.clone(), attributes));
            }
        }
        for Placed { operation, templates } in self.operations {
            let method = operation.http_method();
            for template in &templates {
                router = router.route(template, operation.router.clone());
                table.insert(template, method.clone(), operation.attributes);
            }
            let Some(path) = templates.into_iter().next() else { continue };
            codes.push(describe(&mut document, path, method, operation));
        }
        shared::hoist(&mut document);
        Built { router, document, table, codes }
    }
}

/// Adds an operation to the document. Returns its codes.
fn describe(document: &mut OpenApi, path: String, method: Method, operation: Operation) -> OperationCodes {
    let Operation { method: kind, mut parts, attributes, .. } = operation;
    problems::complete(&mut parts, attributes);
    let id = parts.operation.operation_id.clone().unwrap_or_default();
    document.components.get_or_insert_default().schemas.extend(parts.schemas);
    let item = PathItem::new(kind, parts.operation);
    match document.paths.paths.get_mut(&path) {
        Some(known) => known.merge_operations(item),
        None => {
            document.paths.paths.insert(path.clone(), item);
        }
    }
    let (inherited, own) = (parts.inherited.into_iter().collect(), parts.own.into_iter().collect());
    OperationCodes { id, path, method, inherited, own }
}
