//! The AsyncAPI 3 document of the sockets.

use std::sync::{Arc, OnceLock};

use doyen_core::Problem;
use doyen_schema::contract::{Operation, SocketContract};
use doyen_schema::{Components, Output as _};
use doyen_web::http::{HeaderValue, header};
use doyen_web::{Body, Response};
use serde_json::{Map, Value as Json, json};

use crate::tokens::TokenView;

/// The document, once the application is built and if it is served.
#[derive(Debug, Default)]
pub(crate) struct AsyncApi(OnceLock<String>);

impl AsyncApi {
    pub(crate) fn fill(&self, title: &str, version: &str, operations: &[Operation]) {
        let document = document(title, version, operations);
        // An application is built once.
        let _ = self.0.set(document.to_string());
    }
}

/// The document is not served.
#[derive(Debug, Problem)]
#[problem(not_found, code = "not_found")]
pub(crate) struct NotServed;

pub(crate) async fn show(document: Arc<AsyncApi>) -> Result<Response, NotServed> {
    let text = document.0.get().ok_or(NotServed)?;
    let mut response = Response::new(Body::whole(text.clone()));
    let media = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

/// Returns the document of all sockets.
pub(crate) fn document(title: &str, version: &str, operations: &[Operation]) -> Json {
    let mut components = Components::new();
    let (mut channels, mut actions) = (Map::new(), Map::new());
    for operation in operations {
        let Some(socket) = operation.socket else {
            continue;
        };
        let id = &operation.id;
        channels.insert(id.clone(), channel(operation, &socket, &mut components));
        for (action, message) in [("receive", "fromClient"), ("send", "fromServer")] {
            let described = json!({
                "action": action,
                "channel": {"$ref": format!("#/channels/{id}")},
                "messages": [{"$ref": format!("#/channels/{id}/messages/{message}")}],
            });
            actions.insert(format!("{id}_{action}"), described);
        }
    }
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": actions,
    });
    if let Some(path) = token_path(operations) {
        document["x-connection-tokens"] = json!(path);
    }
    // Two types of one name are refused when the service is built.
    if let Ok(named) = components.finish() {
        let schemas = named.schemas.iter();
        let schemas: Map<String, Json> = schemas
            .map(|(name, schema)| (name.clone(), schema.as_json()))
            .collect();
        document["components"] = json!({"schemas": schemas});
        named.settle(&mut document);
    }
    document
}

/// Returns the path of the route that creates connection tokens: it returns one.
fn token_path(operations: &[Operation]) -> Option<&str> {
    let token = TokenView::schema(&mut Components::new()).as_json();
    let returns_token = |operation: &&Operation| {
        let mut bodies = operation
            .answers
            .iter()
            .filter_map(|answer| answer.body.as_ref());
        bodies.any(|(_, schema)| schema.as_json() == token)
    };
    let route = operations.iter().find(returns_token)?;
    Some(&route.path)
}

fn channel(operation: &Operation, socket: &SocketContract, components: &mut Components) -> Json {
    let message = |schema: doyen_schema::Schema| json!({"payload": schema.as_json()});
    let mut bindings = json!({"method": "GET", "bindingVersion": "0.1.0"});
    if let Some(protocol) = socket.protocol {
        let name = json!({"type": "string", "const": protocol});
        bindings["headers"] =
            json!({"type": "object", "properties": {"Sec-WebSocket-Protocol": name}});
    }
    bindings["query"] = json!({
        "type": "object",
        "properties": {"token": {"type": "string", "description": "Single-use connection token."}},
    });
    json!({
        "address": operation.path,
        "title": operation.summary,
        "description": operation.description,
        "messages": {
            "fromClient": message((socket.receives)(components)),
            "fromServer": message((socket.sends)(components)),
        },
        "bindings": {"ws": bindings},
    })
}
