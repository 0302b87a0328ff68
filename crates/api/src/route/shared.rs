//! Moves parts that several operations have alike into the document's components, and refers to
//! them.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::openapi::{
    OpenApi, Ref, RefOr, Response,
    path::{Operation, Parameter},
};

use crate::problem::PROBLEM_JSON;

/// Moves headers, parameters and responses that stand in the document more than once into its
/// components.
pub(super) fn hoist(document: &mut OpenApi) {
    let headers = hoist_kind(document, "headers", |operation, visit| {
        let tag = tag_of(operation);
        for response in inline(operation.responses.responses.values_mut()) {
            response.headers.iter_mut().for_each(|(name, header)| visit(Name::of_field(name, &tag), header));
        }
    });
    let parameters: Vec<(String, RefOr<Parameter>)> =
        hoist_kind(document, "parameters", |operation, visit| {
            let tag = tag_of(operation);
            for parameter in operation.parameters.iter_mut().flatten() {
                let RefOr::T(known) = &*parameter else { continue };
                visit(Name::of_field(&known.name, &tag), parameter);
            }
        });
    let responses = hoist_kind(document, "responses", |operation, visit| {
        let tag = tag_of(operation);
        for (status, response) in &mut operation.responses.responses {
            // Each operation has its own codes, so they stay beside the reference.
            let codes = take_codes(status, response);
            visit(Name::of_response(status, response, &tag), response);
            if let Some(codes) = codes {
                describe(response, codes);
            }
        }
    });
    let components = document.components.get_or_insert_default();
    components.headers.extend(headers);
    components.parameters.extend(parameters);
    components.responses.extend(responses);
}

/// The names that a part may get: the second one if the first is taken.
struct Name {
    plain: String,
    of_tag: String,
}

impl Name {
    /// Names a header or parameter, such as `actor` and `vault_actor`.
    fn of_field(name: &str, tag: &str) -> Self {
        Self { plain: name.to_owned(), of_tag: format!("{tag}_{name}") }
    }

    /// Names a response after its status, and a success after its schema, such as `NotFound`,
    /// `Project` and `CreatedProject`.
    fn of_response(status: &str, response: &RefOr<Response>, tag: &str) -> Self {
        let reason = reason(status).replace([' ', '-'], "");
        let plain = match response {
            RefOr::T(response) if is_problem(response) => {
                // A 429 or 503 can always be tried again; other statuses state it in their name.
                let says = response.headers.contains_key("Retry-After") && !["429", "503"].contains(&status);
                format!("{}{reason}", if says { "Retryable" } else { "" })
            }
            RefOr::T(response) => match schema_name(response) {
                Some(schema) if status == "200" => schema.to_owned(),
                Some(schema) => format!("{reason}{schema}"),
                None => reason,
            },
            RefOr::Ref(_) => reason,
        };
        let (first, rest) = tag.split_at_checked(1).unwrap_or_default();
        Self { of_tag: format!("{}{rest}{plain}", first.to_uppercase()), plain }
    }
}

/// Calls its second argument with each part of one kind that an operation has, and the names that
/// the part may get.
type Visit<'a, T> = &'a mut dyn FnMut(Name, &mut RefOr<T>);

fn hoist_kind<T: Serialize + Clone>(
    document: &mut OpenApi,
    kind: &str,
    each: impl Fn(&mut Operation, Visit<'_, T>),
) -> Vec<(String, RefOr<T>)> {
    // The uses, by plain name and text.
    let mut uses: BTreeMap<String, BTreeMap<String, Uses>> = BTreeMap::new();
    for operation in operations(document) {
        each(operation, &mut |Name { plain, of_tag }, part| {
            let first = Uses { count: 0, of_tag };
            uses.entry(plain).or_default().entry(text(part)).or_insert(first).count += 1;
        });
    }
    let names = component_names(uses);
    let mut hoisted = BTreeMap::new();
    for operation in operations(document) {
        each(operation, &mut |Name { plain, .. }, part| {
            if let Some(component) = names.get(&(plain, text(part))) {
                let reference = RefOr::Ref(Ref::new(format!("#/components/{kind}/{component}")));
                hoisted.entry(component.clone()).or_insert(mem::replace(part, reference));
            }
        });
    }
    hoisted.into_iter().collect()
}

/// The number of times that a text is in the document, and its second name.
struct Uses {
    count: usize,
    of_tag: String,
}

/// Names the texts that are in the document more than once, the most frequent one plainly. A text
/// whose two names are both taken gets none: generated clients show the names, and a number would
/// explain nothing.
fn component_names(uses: BTreeMap<String, BTreeMap<String, Uses>>) -> BTreeMap<(String, String), String> {
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (plain, texts) in uses {
        let mut shared: Vec<(String, Uses)> = texts.into_iter().filter(|(_, uses)| uses.count > 1).collect();
        shared.sort_by(|one, other| other.1.count.cmp(&one.1.count).then_with(|| one.0.cmp(&other.0)));
        for (text, Uses { of_tag, .. }) in shared {
            if let Some(component) =
                [plain.clone(), of_tag].into_iter().find(|name| taken.insert(name.clone()))
            {
                names.insert((plain.clone(), text), component);
            }
        }
    }
    names
}

fn text<T: Serialize>(part: &RefOr<T>) -> String {
    serde_json::to_string(part).unwrap_or_default()
}

fn inline<'a, T: 'a>(parts: impl Iterator<Item = &'a mut RefOr<T>>) -> impl Iterator<Item = &'a mut T> {
    parts.filter_map(|part| match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    })
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
            .into_iter()
            .flatten()
    })
}

/// Returns the first of an operation's tags.
fn tag_of(operation: &Operation) -> String {
    operation.tags.iter().flatten().next().cloned().unwrap_or_default()
}

fn reason(status: &str) -> &'static str {
    let status: Option<StatusCode> = status.parse().ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("Other")
}

fn is_problem(response: &Response) -> bool {
    response.content.contains_key(PROBLEM_JSON)
}

/// Returns the name of the schema that the body has.
fn schema_name(response: &Response) -> Option<&str> {
    let RefOr::T(content) = response.content.values().next()? else { return None };
    match content.schema.as_ref()? {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next(),
        RefOr::T(_) => None,
    }
}

/// Puts the status's name in the place of a problem's codes, and returns them.
fn take_codes(status: &str, response: &mut RefOr<Response>) -> Option<String> {
    match response {
        RefOr::T(response) if is_problem(response) => {
            Some(mem::replace(&mut response.description, reason(status).to_owned()))
        }
        _ => None,
    }
}

/// Describes a response in its place. A description beside a reference precedes that of the
/// component.
fn describe(response: &mut RefOr<Response>, description: String) {
    match response {
        RefOr::T(response) => response.description = description,
        RefOr::Ref(reference) => reference.description = description,
    }
}
