//! Lists: one envelope, and the way to the other pages.

use doyen_core::contract::{Answer, Contract};
use doyen_core::{Output, Page, PageFrom, Refusal, Schema, Unexpected};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value as Json, json};

use super::json::{JSON, bytes_response, pick};
use super::{Link, Respond};
use crate::Response;
use crate::request::Parts;

impl<T: Output> Respond for Page<T> {
    fn respond(self, parts: &Parts) -> Result<Response, Refusal> {
        let picked = parts.picked_fields();
        let relations = relations(&self, parts);
        let mut items = serde_json::to_value(&self.items).map_err(Unexpected::from)?;
        if let (Json::Array(items), false) = (&mut items, picked.is_empty()) {
            items.iter_mut().for_each(|item| pick(item, picked));
        }
        let mut page = json!({"limit": self.limit, "next": text(self.next.as_ref()), "prev": text(self.prev.as_ref())});
        if let Some(total) = self.total {
            page["total"] = total.into();
        }
        let links: Map<String, Json> = relations
            .iter()
            .map(|(rel, href)| ((*rel).to_owned(), json!({"href": href})))
            .collect();
        let body = json!({"items": items, "page": page, "_links": links});
        let mut response = bytes_response(
            StatusCode::OK,
            serde_json::to_vec(&body).map_err(Unexpected::from)?,
        );
        let link = relations
            .iter()
            .map(|(rel, href)| format!("<{href}>; rel=\"{rel}\""))
            .collect::<Vec<_>>()
            .join(", ");
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let item = T::schema(contract.components);
        let link = Link::schema(contract.components);
        contract.operation.fields = contract.components.properties(&item);
        let object = |properties: Json, required: Json| {
            Schema::of("object")
                .with("properties", properties)
                .with("required", required)
                .with("additionalProperties", false)
        };
        let place = json!({"type": ["string", "null"], "maxLength": 1024});
        let page = object(
            json!({
                "limit": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 100, "description": "How many were asked for at most."},
                "next": place.clone(), "prev": place,
                "total": {"type": "integer", "format": "int64", "minimum": 0, "description": "How many there are in all; only on numbered pages."},
            }),
            json!(["limit", "next", "prev"]),
        );
        let links = object(
            json!({"self": link.as_json(), "first": link.as_json(), "next": link.as_json(), "prev": link.as_json()}),
            json!(["self", "first"]),
        );
        let items = json!({"type": "array", "maxItems": 100, "items": item.into_json()});
        let envelope = object(
            json!({"items": items, "page": page.into_json(), "_links": links.into_json()}),
            json!(["items", "page", "_links"]),
        );
        let answer = Answer::with_body(200, "A page of the list.", JSON, envelope);
        contract.operation.answers.push(answer.header(
            "Link",
            "The same relations as `_links` (RFC 8288).",
            Schema::of("string"),
        ));
    }
}

fn text(from: Option<&PageFrom>) -> Json {
    match from {
        None | Some(PageFrom::Start) => Json::Null,
        Some(PageFrom::Cursor(cursor)) => json!(cursor),
        Some(PageFrom::Number(number)) => json!(number.to_string()),
    }
}

/// The request's own address with another place in the list: `self`, `first`, `next`, `prev`.
fn relations<T>(page: &Page<T>, parts: &Parts) -> Vec<(&'static str, String)> {
    let path = parts.head.uri.path();
    let kept: Vec<&str> = parts
        .head
        .uri
        .query()
        .unwrap_or("")
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_place(pair))
        .collect();
    let address = |place: Option<String>| {
        let query = kept
            .iter()
            .map(|pair| (*pair).to_owned())
            .chain(place)
            .collect::<Vec<_>>()
            .join("&");
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    };
    let place = |from: &PageFrom| match from {
        PageFrom::Start => None,
        PageFrom::Cursor(cursor) => Some(format!("cursor={cursor}")),
        PageFrom::Number(number) => Some(format!("page={number}")),
    };
    let own = parts
        .head
        .uri
        .path_and_query()
        .map_or_else(|| path.to_owned(), ToString::to_string);
    let numbered = page.total.is_some();
    let first = address(numbered.then(|| "page=1".to_owned()));
    let mut all = vec![("self", own), ("first", first)];
    all.extend(
        page.next
            .as_ref()
            .map(|from| ("next", address(place(from)))),
    );
    all.extend(
        page.prev
            .as_ref()
            .map(|from| ("prev", address(place(from)))),
    );
    all
}

fn is_place(pair: &str) -> bool {
    matches!(pair.split('=').next(), Some("cursor" | "page"))
}
