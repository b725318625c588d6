//! Schemas of tools, taken from the OpenAPI document, which has them from the routes' own types: JSON Schema of 2020-12 both.

use std::collections::BTreeMap;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::tools::Tool;

const COMPONENTS: &str = "#/components/schemas/";

/// What the tool takes: the body of its route, or else the parameters of path and query, without those that are set.
pub fn input(document: &Value, tool: &Tool) -> JsonObject {
    let operation = operation(document, tool);
    if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
        return complete(document, body);
    }
    let mut properties = JsonObject::new();
    let mut required = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let Some(name) = parameter["name"].as_str() else { continue };
        if tool.set.iter().any(|(set, _)| *set == name) {
            continue;
        }
        let mut schema = parameter["schema"].clone();
        if let Some(description) = parameter.get("description") {
            schema["description"] = description.clone();
        }
        if let Some((_, text)) = tool.unless_given.iter().find(|(given, _)| *given == name) {
            schema["default"] = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        }
        if parameter["required"] == true {
            required.push(name);
        }
        properties.insert(name.to_owned(), schema);
    }
    let schema =
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    complete(document, &schema)
}

/// What the tool gives: the JSON that its route answers with.
pub fn output(document: &Value, tool: &Tool) -> JsonObject {
    complete(document, &operation(document, tool)["responses"]["200"]["content"]["application/json"]["schema"])
}

fn operation<'a>(document: &'a Value, tool: &Tool) -> &'a Value {
    &document["paths"][tool.path][tool.method.as_str().to_ascii_lowercase()]
}

/// A schema that stands by itself: what it refers to comes along under `$defs`.
fn complete(document: &Value, schema: &Value) -> JsonObject {
    let component = |name: &str| document["components"]["schemas"][name].clone();
    let mut schema = match component_of(schema) {
        Some(name) => component(name),
        None => schema.clone(),
    };
    let mut waiting = Vec::new();
    bring(&mut schema, &mut waiting);
    let mut definitions = BTreeMap::new();
    while let Some(name) = waiting.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let mut definition = component(&name);
        bring(&mut definition, &mut waiting);
        definitions.insert(name, definition);
    }
    if !definitions.is_empty() {
        schema["$defs"] = json!(definitions);
    }
    match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}

/// Turns references to components into references to `$defs`, and notes which.
fn bring(schema: &mut Value, names: &mut Vec<String>) {
    if let Some(name) = component_of(schema).map(ToOwned::to_owned) {
        schema["$ref"] = json!(format!("#/$defs/{name}"));
        names.push(name);
    }
    match schema {
        Value::Object(members) => members.values_mut().for_each(|member| bring(member, names)),
        Value::Array(items) => items.iter_mut().for_each(|item| bring(item, names)),
        _ => {}
    }
}

fn component_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(COMPONENTS)
}
