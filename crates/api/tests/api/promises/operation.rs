//! An operation of the document.

use kernel::Code;
use reqwest::Method;
use serde_json::{Map, Value};
use testkit::client::Reply;

use crate::openapi;

pub struct Operation {
    pub method: Method,
    pub path: String,
    spec: Value,
}

impl Operation {
    /// Returns all operations.
    pub fn all() -> Vec<Self> {
        let document = openapi::resolved();
        let paths = document["paths"].as_object().unwrap();
        let of_path = |(path, item): (&String, &Value)| {
            let operation = |(method, spec): (&String, &Value)| Self {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                spec: spec.clone(),
            };
            item.as_object().unwrap().iter().map(operation).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Returns the ways to prove who asks: for each, its schemes with their scopes.
    pub fn ways(&self) -> Vec<&Map<String, Value>> {
        self.spec["security"].as_array().into_iter().flatten().map(|way| way.as_object().unwrap()).collect()
    }

    pub fn is_secured(&self) -> bool {
        !self.ways().is_empty()
    }

    /// Returns the permission that `scheme` must bring.
    pub fn scope(&self, scheme: &str) -> Option<&str> {
        self.ways().iter().find_map(|way| way.get(scheme)?.as_array()?.first()?.as_str())
    }

    pub fn takes(&self, name: &str) -> bool {
        self.parameters().any(|one| one["name"] == name)
    }

    pub fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.spec["parameters"].as_array().into_iter().flatten()
    }

    /// Returns the names in braces, in the path.
    pub fn placeholders(&self) -> Vec<&str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    pub fn has_body(&self) -> bool {
        self.spec["requestBody"].is_object()
    }

    /// Returns whether it creates something that exists when it is answered.
    pub fn creates(&self) -> bool {
        self.method == Method::POST && self.is_secured() && (self.answers(201) || self.answers(202))
    }

    /// Returns whether the document has an answer with this status.
    pub fn answers(&self, status: u16) -> bool {
        self.spec["responses"][status.to_string()].is_object()
    }

    /// Checks the promises of every answer: its status and headers are documented, and an error is
    /// a complete problem of a documented code.
    pub fn check(&self, reply: &Reply) {
        let name = self.name();
        let documented = &self.spec["responses"][reply.status.to_string()];
        assert!(documented.is_object(), "{name}: {} is not documented: {}", reply.status, reply.json());
        for (header, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(reply.header(header), value, "{name} {}: {header}", reply.status);
        }
        // The document marks the answers that may be cached.
        if !documented["headers"]["Cache-Control"].is_object() {
            assert_eq!(reply.header("cache-control"), "no-store", "{name}");
        }
        for header in ["X-Request-Id", "RateLimit", "RateLimit-Policy", "Location", "ETag"] {
            if documented["headers"][header].is_object() {
                assert_ne!(reply.header(header), "", "{name} {}: no {header}", reply.status);
            }
        }
        let counted = !self.path.starts_with("/health");
        assert_eq!(documented["headers"]["RateLimit"].is_object(), counted, "{name} {}", reply.status);
        if reply.status >= 400 {
            self.check_problem(reply, documented);
        }
    }

    fn check_problem(&self, reply: &Reply, documented: &Value) {
        let (name, problem) = (self.name(), reply.json());
        assert_eq!(reply.header("content-type"), "application/problem+json", "{name}: {problem}");
        let code = problem["code"].as_str().unwrap();
        assert!(
            Code::ALL.iter().any(|known| known.as_str() == code),
            "{name}: {code} is not in the catalogue"
        );
        let described = documented["description"].as_str().unwrap();
        assert!(described.split(", ").any(|one| one == code), "{name}: {code} is not among {described}");
        assert_eq!(problem["status"], reply.status, "{name}: {problem}");
        assert_eq!(problem["request_id"], reply.header("x-request-id"), "{name}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{name}: {problem}");
        if reply.status == 401 {
            assert_ne!(reply.header("www-authenticate"), "", "{name}");
        }
    }
}
