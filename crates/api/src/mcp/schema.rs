//! JSON Schemas of what tools take and give: those of the API's document, each complete in itself.

use std::{collections::BTreeMap, sync::Arc};

use rmcp::model::JsonObject;
use serde_json::Value;
use utoipa::ToSchema;

/// Returns the schema of `T`, with every schema that it refers to in its place: models read
/// schemas, and few clients follow references.
pub fn of<T: ToSchema>() -> Arc<JsonObject> {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let json = |schema| serde_json::to_value(schema).unwrap_or_default();
    let parts = parts.into_iter().map(|(name, schema)| (name, json(schema))).collect();
    let mut schema = json(T::schema());
    inline(&mut schema, &parts);
    let Value::Object(mut members) = schema else { return Arc::default() };
    // The tool's own description describes the whole.
    members.remove("description");
    Arc::new(members)
}

/// Replaces references by what they refer to. None of our schemas contains itself.
fn inline(schema: &mut Value, parts: &BTreeMap<String, Value>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(Value::Object(part)) = name.and_then(|name| parts.get(name)) {
                members.remove("$ref");
                // A description beside a reference is about this place.
                for (key, value) in part {
                    members.entry(key).or_insert_with(|| value.clone());
                }
            }
            // Comments are broken into lines for readers of the source.
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            members.values_mut().for_each(|member| inline(member, parts));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, parts)),
        _ => {}
    }
}
