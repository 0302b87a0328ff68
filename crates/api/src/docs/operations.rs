//! What every operation promises, written into the document once rather than on each route.

use std::collections::HashMap;

use axum::http::Method;
use kernel::{Code, error::Kind};
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, KnownFormat, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response,
    ResponseBuilder, SchemaFormat,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::Type,
};

use crate::problem::{PROBLEM_JSON, status};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const IF_MATCH: &str = "If-Match";
const PROJECT: &str = "Holdfast-Project";

/// Adds to each operation the headers it takes, the problems it can answer with, the headers of every answer, and an `operationId` that reads well.
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
                if method == "post" && creates(operation) {
                    take_header(operation, idempotency_key());
                }
                if method == "patch" {
                    take_header(operation, if_match());
                }
                // Said aloud: nothing proves who asks, and nothing needs to.
                operation.security.get_or_insert_default();
                add_problems(path, operation);
                add_headers(path, operation);
            }
        }
    }
    document
}

/// The operations that ask who it is: by path, the methods.
pub fn asking(document: &OpenApi) -> HashMap<String, Vec<Method>> {
    let mut asking = HashMap::new();
    for (path, item) in &document.paths.paths {
        let operations = [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::DELETE, &item.delete),
            (Method::PUT, &item.put),
            (Method::PATCH, &item.patch),
        ];
        let asks = |(method, operation): (Method, &Option<Operation>)| {
            operation.as_ref().filter(|one| is_secured(one)).and(Some(method))
        };
        asking.insert(path.clone(), operations.into_iter().filter_map(asks).collect());
    }
    asking
}

fn is_secured(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty())
}

fn operation_id(method: &str, path: &str) -> String {
    let words = path.trim_start_matches("/v1").split(['/', '{', '}', '-']).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// Which kinds of failure an operation has follows from what it takes.
fn add_problems(path: &str, operation: &mut Operation) {
    let secured = is_secured(operation);
    let has_body = operation.request_body.is_some();
    let takes = |place: ParameterIn| parameters(operation).any(|one| one.parameter_in == place);
    let mut kinds = vec![Kind::Internal, Kind::Unavailable];
    if !path.starts_with("/health") {
        kinds.push(Kind::RateLimited);
    }
    if secured {
        // A signed request may carry a digest that does not match, or a nonce that was spent, even where there is no body.
        kinds.extend([Kind::Unauthenticated, Kind::Forbidden, Kind::Malformed, Kind::Conflict]);
    }
    if path.starts_with("/v1/auth/") {
        // What proves a person there is in the body or the cookie.
        kinds.extend([Kind::Unauthenticated, Kind::Forbidden]);
    }
    if has_body {
        kinds.extend([Kind::Malformed, Kind::Timeout, Kind::TooLarge, Kind::UnsupportedType, Kind::Invalid]);
    }
    if takes(ParameterIn::Path) {
        kinds.extend([Kind::NotFound, Kind::Invalid]);
    }
    if takes(ParameterIn::Query) {
        kinds.push(Kind::Invalid);
    }
    // Of an account, what is meant may not be there though nothing names it: it may be about to be erased, or not.
    if path.starts_with("/v1/me") {
        kinds.push(Kind::NotFound);
    }
    if takes_header(operation, PROJECT) {
        kinds.push(Kind::NotFound);
    }
    if takes_header(operation, IF_MATCH) {
        kinds.extend([Kind::PreconditionRequired, Kind::PreconditionFailed]);
    }
    for kind in kinds {
        let codes: Vec<&str> = Code::ALL.iter().filter(|code| code.kind() == kind).map(|code| code.as_str()).collect();
        let Some(first) = Code::ALL.iter().find(|code| code.kind() == kind) else { continue };
        let response = problem_response(&codes, kind);
        operation.responses.responses.entry(status(*first).as_str().to_owned()).or_insert(RefOr::T(response));
    }
}

/// Whether a request makes something that stands already when it is answered, for a caller whose key can be told from another's.
fn creates(operation: &Operation) -> bool {
    is_secured(operation) && ["201", "202"].iter().any(|status| operation.responses.responses.contains_key(*status))
}

fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(257))
        .pattern(Some("^(\"[!#-~]{1,255}\"|[!#-~]{1,255})$"));
    let said = "Any text of the client's own, such as a UUID, bare or in double quotes. For 24 hours the same request with it gets the first \
                answer again, with `Idempotency-Replayed: true`.";
    header_parameter(IDEMPOTENCY_KEY, said, Required::False, schema)
}

fn if_match() -> Parameter {
    let schema =
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(64)).pattern(Some("^(\\*|\"v[0-9]+\")$"));
    let said = "The `ETag` of what the change was made from, or `*` to change it as it is.";
    header_parameter(IF_MATCH, said, Required::True, schema)
}

fn header_parameter(name: &str, description: &str, required: Required, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// Adds the parameter, in place of one that the route describes itself.
fn take_header(operation: &mut Operation, parameter: Parameter) {
    let parameters = operation.parameters.get_or_insert_default();
    parameters.retain(|one| !matches!(one, RefOr::T(one) if one.name == parameter.name));
    parameters.push(parameter.into());
}

fn takes_header(operation: &Operation, name: &str) -> bool {
    parameters(operation).any(|one| one.name == name)
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|one| match one {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn problem_response(codes: &[&str], kind: Kind) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new().description(codes.join(", ")).content(PROBLEM_JSON, content);
    if matches!(kind, Kind::RateLimited | Kind::Unavailable) {
        response = response.header("Retry-After", seconds("Seconds to wait"));
    }
    response.build()
}

fn add_headers(path: &str, operation: &mut Operation) {
    let may_replay = takes_header(operation, IDEMPOTENCY_KEY);
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if may_replay && status.starts_with('2') {
            let said = "`true` when this is the first answer, given again";
            response.headers.insert("Idempotency-Replayed".to_owned(), text(said).into());
        }
        response.headers.insert("X-Request-Id".to_owned(), text("Names this request in our logs").into());
        if !path.starts_with("/health") {
            response
                .headers
                .insert("RateLimit-Policy".to_owned(), text("The quota, such as \"default\";q=100;w=60").into());
            response
                .headers
                .insert("RateLimit".to_owned(), text("What is left of it, such as \"default\";r=50;t=30").into());
        }
    }
}

fn text(description: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(256));
    HeaderBuilder::new().schema(Some(schema.build())).description(Some(description)).build()
}

fn seconds(description: &str) -> Header {
    let kind = SchemaFormat::KnownFormat(KnownFormat::Int32);
    let schema = ObjectBuilder::new().schema_type(Type::Integer).format(Some(kind));
    let schema = schema.minimum(Some(0)).maximum(Some(86_400));
    HeaderBuilder::new().schema(Some(schema.build())).description(Some(description)).build()
}
