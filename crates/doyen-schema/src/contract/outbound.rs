//! Requests that the service sends to its clients: callbacks of a route, webhooks of an API.

use serde_json::{Value as Json, json};

use crate::{Components, Output, Schema};

/// A request that the service sends, for the document. Sending it is up to the application.
///
/// ```
/// use doyen_schema::contract::OutboundCall;
///
/// let paid = OutboundCall::post::<String>("invoice_paid")
///     .to("{$request.body#/callback_url}")
///     .summary("Report that the invoice was paid");
/// ```
#[derive(Clone, Debug)]
pub struct OutboundCall {
    pub(crate) name: &'static str,
    url: &'static str,
    method: &'static str,
    summary: &'static str,
    description: &'static str,
    schema: fn(&mut Components) -> Schema,
}

impl OutboundCall {
    /// Creates a `POST` of this name with a JSON body.
    pub const fn post<T: Output>(name: &'static str) -> Self {
        Self {
            name,
            url: "",
            method: "post",
            summary: "",
            description: "",
            schema: T::schema,
        }
    }

    /// Sets the method to `PUT`.
    #[must_use]
    pub const fn put(mut self) -> Self {
        self.method = "put";
        self
    }

    /// Sets the URL of a callback, an OpenAPI runtime expression such as
    /// `{$request.query.callback_url}/invoices`.
    #[must_use]
    pub const fn to(mut self, url: &'static str) -> Self {
        self.url = url;
        self
    }

    /// Sets the summary.
    #[must_use]
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Sets the description, in Markdown. By default it is the summary.
    #[must_use]
    pub const fn description(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Returns the schema of the body.
    pub fn describe(&self, components: &mut Components) -> Schema {
        (self.schema)(components)
    }

    /// Returns the path item.
    pub(crate) fn path_item(&self, schema: &Schema) -> Json {
        let summary = if self.summary.is_empty() {
            self.name
        } else {
            self.summary
        };
        let description = if self.description.is_empty() {
            summary
        } else {
            self.description
        };
        // The security schemes of the API are those of its own routes.
        json!({self.method: {
            "operationId": self.name,
            "security": [],
            "summary": summary,
            "description": description,
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema.as_json()}}},
            "responses": {"2XX": {"description": "The request was received."}},
        }})
    }

    /// Returns the callback object.
    pub(crate) fn callback(&self, schema: &Schema) -> Json {
        json!({self.url: self.path_item(schema)})
    }
}
