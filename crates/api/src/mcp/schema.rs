//! JSON Schemas of what tools take and give: those of the API's document, each whole in itself.

use std::{collections::BTreeMap, sync::Arc};

use rmcp::model::JsonObject;
use serde_json::Value;
use utoipa::ToSchema;

/// The schema of `T`, with every schema that it refers to in its place: models read schemas, and
/// few clients follow references.
pub fn of<T: ToSchema>() -> Arc<JsonObject> {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let json = |schema| serde_json::to_value(schema).unwrap_or_default();
    let parts = parts.into_iter().map(|(name, schema)| (name, json(schema))).collect();
    let mut schema = json(T::schema());
    inline(&mut schema, &parts);
    let Value::Object(mut members) = schema else { return Arc::default() };
    // Of the whole the tool's own description speaks.
    members.remove("description");
    Arc::new(members)
}

/// None of our schemas contains itself.
fn inline(schema: &mut Value, parts: &BTreeMap<String, Value>) {
    match schema {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(Value::Object(part)) = name.and_then(|name| parts.get(name)) {
                members.remove("$ref");
                // What is said beside a reference is about this place.
                for (key, value) in part {
                    members.entry(key).or_insert_with(|| value.clone());
                }
            }
            // Comments are broken into lines for those who read the source.
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            members.values_mut().for_each(|member| inline(member, parts));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, parts)),
        _ => {}
    }
}
