//! The OpenAPI document of an older version, derived from that of the newest by the same steps.

use serde_json::{Map, Value as Json};

use super::set::OlderVersion;
use super::{Source, VersionSet};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl VersionSet {
    /// Rewrites the document of the newest version to that of another one. Returns false if there
    /// is no such version.
    pub fn document(&self, version: &str, document: &mut Json) -> bool {
        let Some(index) = self.index(version) else {
            return false;
        };
        document["info"]["version"] = version.into();
        if self.source == Source::Path {
            for server in document["servers"].as_array_mut().into_iter().flatten() {
                let url = server["url"].as_str().unwrap_or("").trim_end_matches('/');
                server["url"] = format!("{url}/{version}").into();
            }
        }
        let mut about = String::new();
        for older in &self.older[..index] {
            for change in &older.changes {
                about.push_str(&format!("\n- {}", change.about));
                for (schema, step) in &change.steps {
                    if let Json::Object(own) = &mut document["components"]["schemas"][*schema] {
                        step.apply_to_schema(own);
                    }
                }
            }
            rewrite(document, older);
        }
        if !about.is_empty() {
            let text = document["info"]["description"].as_str().unwrap_or("");
            let text = format!(
                "{text}\n\nDifferences from version `{}`:\n{about}",
                self.newest
            );
            document["info"]["description"] = text.trim().into();
        }
        let is_deprecated = index > 0 && self.older[index - 1].is_deprecated;
        for item in document["paths"]
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut)
        {
            for method in METHODS {
                let Some(operation) = item.get_mut(method) else {
                    continue;
                };
                if is_deprecated {
                    operation["deprecated"] = true.into();
                }
            }
        }
        true
    }
}

/// Rewrites what refers to a schema without being it: its copy with optional fields, and the list
/// of its fields.
fn rewrite(document: &mut Json, version: &OlderVersion) {
    let paths = document["paths"].as_object_mut();
    for operation in paths
        .into_iter()
        .flat_map(Map::values_mut)
        .flat_map(operations)
    {
        let mut partial = Vec::new();
        parts(&mut operation["responses"], version, &mut partial);
        let parameters = operation.get_mut("parameters").and_then(Json::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if parameter["name"] != "fields" || parameter["in"] != "query" {
                continue;
            }
            let Some(Json::Array(names)) = parameter.pointer_mut("/schema/items/enum") else {
                continue;
            };
            for schema in &partial {
                version
                    .steps_on(schema)
                    .for_each(|step| step.apply_to_names(names));
            }
            let count = names.len();
            parameter["schema"]["maxItems"] = count.into();
        }
    }
}

fn operations(item: &mut Json) -> impl Iterator<Item = &mut Json> {
    let members = item.as_object_mut().into_iter().flatten();
    members
        .filter(|(name, _)| METHODS.contains(&name.as_str()))
        .map(|(_, operation)| operation)
}

/// Finds `anyOf: [{"$ref": ..}, {a copy with optional fields}]`, rewrites the copy and collects the
/// names.
fn parts(value: &mut Json, version: &OlderVersion, found: &mut Vec<String>) {
    match value {
        Json::Array(items) => {
            let name = items.iter().find_map(|item| item["$ref"].as_str());
            let name = name.and_then(|text| text.strip_prefix("#/components/schemas/"));
            if let Some(name) = name.map(str::to_owned) {
                for copy in items.iter_mut().filter_map(Json::as_object_mut) {
                    if copy.contains_key("properties") {
                        version
                            .steps_on(&name)
                            .for_each(|step| step.apply_to_schema(copy));
                        found.push(name.clone());
                    }
                }
            }
            items
                .iter_mut()
                .for_each(|item| parts(item, version, found));
        }
        Json::Object(members) => {
            members
                .values_mut()
                .for_each(|member| parts(member, version, found));
        }
        _ => {}
    }
}
