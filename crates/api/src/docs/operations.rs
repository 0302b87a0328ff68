//! What every operation promises, written into the document once rather than on each route.

use domain::{Code, error::Kind};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, path::Operation,
    schema::Type,
};

use crate::problem::{PROBLEM_JSON, status};

/// Adds to each operation the problems it can answer with, the headers of every answer, and an `operationId` that reads well.
pub fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(operation_id(method, path));
                add_problems(path, operation);
                add_headers(path, operation);
            }
        }
    }
    document
}

fn operation_id(method: &str, path: &str) -> String {
    let words = path.trim_start_matches("/v1").split(['/', '{', '}', '-']).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// Which kinds of failure an operation has follows from what it takes.
fn add_problems(path: &str, operation: &mut Operation) {
    let secured = operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty());
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
    let mut kinds = vec![Kind::Internal, Kind::Unavailable];
    if !path.starts_with("/health") {
        kinds.push(Kind::RateLimited);
    }
    if secured {
        // A signed request may carry a digest that does not match, or a nonce that was spent, even where there is no body.
        kinds.extend([Kind::Unauthenticated, Kind::Forbidden, Kind::Malformed, Kind::Conflict]);
    }
    if has_body {
        kinds.extend([Kind::Malformed, Kind::Timeout, Kind::TooLarge, Kind::UnsupportedType, Kind::Invalid]);
    }
    if has_parameters {
        kinds.extend([Kind::NotFound, Kind::Invalid]);
    }
    for kind in kinds {
        let codes: Vec<&str> = Code::ALL.iter().filter(|code| code.kind() == kind).map(|code| code.as_str()).collect();
        let Some(first) = Code::ALL.iter().find(|code| code.kind() == kind) else { continue };
        let response = problem_response(&codes, kind);
        operation.responses.responses.entry(status(*first).as_str().to_owned()).or_insert(RefOr::T(response));
    }
}

fn problem_response(codes: &[&str], kind: Kind) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new().description(codes.join(", ")).content(PROBLEM_JSON, content);
    if matches!(kind, Kind::RateLimited | Kind::Unavailable) {
        response = response.header("Retry-After", header(Type::Integer, "Seconds to wait"));
    }
    response.build()
}

fn add_headers(path: &str, operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        response
            .headers
            .insert("X-Request-Id".to_owned(), header(Type::String, "Names this request in our logs").into());
        if !path.starts_with("/health") {
            response.headers.insert(
                "RateLimit-Policy".to_owned(),
                header(Type::String, "The quota, such as \"default\";q=100;w=60").into(),
            );
            response.headers.insert(
                "RateLimit".to_owned(),
                header(Type::String, "What is left of it, such as \"default\";r=50;t=30").into(),
            );
        }
    }
}

fn header(kind: Type, description: &str) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(kind).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
