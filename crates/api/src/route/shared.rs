//! Parts that several operations have alike stand once in the document's components, and are
//! referred to.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::openapi::{
    OpenApi, Ref, RefOr,
    path::{Operation, Parameter},
};

/// Moves headers, parameters and responses that stand in the document more than once into its
/// components.
pub(super) fn hoist(document: &mut OpenApi) {
    let headers = hoist_kind(document, "headers", |operation, visit| {
        for response in inline(operation.responses.responses.values_mut()) {
            response.headers.iter_mut().for_each(|(name, header)| visit(name.clone(), header));
        }
    });
    let parameters: Vec<(String, RefOr<Parameter>)> =
        hoist_kind(document, "parameters", |operation, visit| {
            for parameter in operation.parameters.iter_mut().flatten() {
                let RefOr::T(known) = &*parameter else { continue };
                visit(known.name.clone(), parameter);
            }
        });
    let responses = hoist_kind(document, "responses", |operation, visit| {
        operation
            .responses
            .responses
            .iter_mut()
            .for_each(|(status, response)| visit(name_of(status), response));
    });
    let components = document.components.get_or_insert_default();
    components.headers.extend(headers);
    components.parameters.extend(parameters);
    components.responses.extend(responses);
}

/// Calls its second argument with each part of one kind that an operation has, and the name that
/// the part goes by.
type Visit<'a, T> = &'a mut dyn FnMut(String, &mut RefOr<T>);

fn hoist_kind<T: Serialize + Clone>(
    document: &mut OpenApi,
    kind: &str,
    each: impl Fn(&mut Operation, Visit<'_, T>),
) -> Vec<(String, RefOr<T>)> {
    // How often each text stands there under each name.
    let mut counts: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for operation in operations(document) {
        each(operation, &mut |name, part| {
            *counts.entry(name).or_default().entry(text(part)).or_default() += 1
        });
    }
    let names = component_names(counts);
    let mut hoisted = BTreeMap::new();
    for operation in operations(document) {
        each(operation, &mut |name, part| {
            if let Some(component) = names.get(&(name, text(part))) {
                let reference = RefOr::Ref(Ref::new(format!("#/components/{kind}/{component}")));
                hoisted.entry(component.clone()).or_insert(std::mem::replace(part, reference));
            }
        });
    }
    hoisted.into_iter().collect()
}

/// Names the texts that stand there more than once: the most frequent one plainly, others with a
/// number.
fn component_names(counts: BTreeMap<String, BTreeMap<String, usize>>) -> BTreeMap<(String, String), String> {
    let mut names = BTreeMap::new();
    for (name, texts) in counts {
        let mut shared: Vec<(String, usize)> = texts.into_iter().filter(|(_, count)| *count > 1).collect();
        shared.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        for (n, (text, _)) in shared.into_iter().enumerate() {
            let component = if n == 0 { name.clone() } else { format!("{name}_{}", n + 1) };
            names.insert((name.clone(), text), component);
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

/// Names a response after its status, such as `NotFound`.
fn name_of(status: &str) -> String {
    let reason = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
    reason.map_or_else(|| format!("Status{status}"), |reason| reason.replace([' ', '-'], ""))
}
