//! The OpenAPI document for tests.

use serde_json::Value;

/// Returns the document as it is served.
pub fn document() -> Value {
    serde_json::to_value(api::document()).unwrap()
}

/// Returns the document with its shared responses, headers and parameters written out where they
/// are referred to. Schemas stay references.
pub fn resolved() -> Value {
    fn write_out(value: &mut Value, document: &Value) {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let shared = ["responses", "headers", "parameters"];
            if shared.iter().any(|kind| reference.starts_with(&format!("#/components/{kind}/"))) {
                let shared = document.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference}"));
                // A description beside a reference precedes that of the component.
                let beside = value.get("description").cloned();
                *value = shared.clone();
                if let Some(description) = beside {
                    value["description"] = description;
                }
            }
        }
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|field| write_out(field, document)),
            Value::Array(items) => items.iter_mut().for_each(|item| write_out(item, document)),
            _ => {}
        }
    }
    let document = document();
    let mut resolved = document.clone();
    write_out(&mut resolved["paths"], &document);
    resolved
}
