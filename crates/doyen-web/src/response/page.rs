//! Lists: one envelope, with links to the other pages.

use std::borrow::Cow;

use doyen_core::{Page, PageFrom, Refusal, Unexpected, stable_hash};
use doyen_schema::contract::{Answer, Contract};
use doyen_schema::{Output, Schema};
use http::{HeaderValue, StatusCode, header};
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use super::json::{JSON, bytes_response, check_writable};
use super::{IntoResponse, Link};
use crate::request::Parts;
use crate::uri_reference::encode;
use crate::{Response, conditions, etag};

impl<T: Output> IntoResponse for Page<T> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let tag = list_tag(&self);
        if let Some(tag) = &tag
            && let Some(response) = conditions::already_sent(parts, tag)
        {
            return Ok(response);
        }
        check_writable(&self.items)?;
        let relations = relations(&self, parts);
        let wanted = &parts.wanted;
        let page = PageInfo {
            limit: self.limit,
            next: text(self.next.as_ref()),
            prev: text(self.prev.as_ref()),
            total: self.total.map(|total| total.count),
            total_exceeded: self.total.is_some_and(|total| total.exceeded),
        };
        // With all fields the items are serialized directly, in their own field order.
        let bytes = if wanted.is_all() {
            serde_json::to_vec(&Envelope {
                items: &self.items,
                page,
                links: &relations,
            })
        } else {
            let mut items = self
                .items
                .iter()
                .map(serde_json::to_value)
                .collect::<Result<Vec<_>, _>>()
                .map_err(Unexpected::from)?;
            items.iter_mut().for_each(|item| wanted.apply(item));
            serde_json::to_vec(&Envelope {
                items: &items,
                page,
                links: &relations,
            })
        };
        let bytes = bytes.map_err(Unexpected::from)?;
        let tag = tag.or_else(|| etag::weak(etag::content_hash(&bytes)));
        let mut response = bytes_response(StatusCode::OK, bytes);
        if let Some(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        let link = relations
            .0
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
        let cursor = json!({"type": ["string", "null"], "maxLength": 1024});
        let page = object(
            json!({
                "limit": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 100, "description": "Maximum number of items on this page."},
                "next": cursor.clone(), "prev": cursor,
                "total": {"type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX, "description": "Total number of items, exact to 10,000. Present only on numbered pages."},
                "total_exceeded": {"type": "boolean", "description": "True if the list has more items than `total`. Omitted otherwise."},
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
        let answer = answer.header(
            "ETag",
            "Weak validator of the page, for `If-None-Match`.",
            Schema::of("string"),
        );
        contract.operation.answers.push(answer.header(
            "Link",
            "Links with the same relations as `_links` (RFC 8288).",
            Schema::of("string"),
        ));
    }
}

/// Returns the weak tag of a page whose items have versions and URLs: it changes when an item
/// changes, comes or goes. Pages of other items have a tag of their content.
fn list_tag<T: Output>(page: &Page<T>) -> Option<HeaderValue> {
    if !T::TAGGED || !T::LOCATED {
        return None;
    }
    let mut texts = Vec::with_capacity(2 * page.items.len() + 3);
    for item in &page.items {
        texts.push(item.location()?);
        texts.push(item.etag()?);
    }
    texts.extend(
        [text(page.next.as_ref()), text(page.prev.as_ref())].map(Option::unwrap_or_default),
    );
    texts.extend(
        page.total
            .map(|total| format!("{}{}", total.count, total.exceeded)),
    );
    etag::weak(stable_hash(texts.iter().map(String::as_str)))
}

/// The envelope of every list.
#[derive(Serialize)]
struct Envelope<'a, T> {
    items: &'a [T],
    page: PageInfo,
    #[serde(rename = "_links")]
    links: &'a Relations,
}

#[derive(Serialize)]
struct PageInfo {
    limit: u32,
    next: Option<String>,
    prev: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    total_exceeded: bool,
}

/// Links to related pages, in the order of the response.
struct Relations(Vec<(&'static str, String)>);

impl Serialize for Relations {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(rel, href)| (rel, Href { href })))
    }
}

#[derive(Serialize)]
struct Href<'a> {
    href: &'a str,
}

fn text(from: Option<&PageFrom>) -> Option<String> {
    match from {
        None | Some(PageFrom::Start) => None,
        Some(PageFrom::Cursor(cursor)) => Some(cursor.clone()),
        Some(PageFrom::Number(number)) => Some(number.to_string()),
    }
}

/// Returns the URL of the request with other positions in the list: `self`, `first`, `next`,
/// `prev`.
fn relations<T>(page: &Page<T>, parts: &Parts) -> Relations {
    let path = parts.head.uri.path();
    let kept: Vec<&str> = parts
        .head
        .uri
        .query()
        .unwrap_or("")
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_position(pair))
        .collect();
    let url = |position: Option<String>| {
        let query = kept
            .iter()
            .map(|pair| (*pair).to_owned())
            .chain(position)
            .collect::<Vec<_>>()
            .join("&");
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    };
    let position = |from: &PageFrom| match from {
        PageFrom::Start => None,
        PageFrom::Cursor(cursor) => Some(format!("cursor={cursor}")),
        PageFrom::Number(number) => Some(format!("page={number}")),
    };
    let own = parts
        .head
        .uri
        .path_and_query()
        .map_or_else(|| path.to_owned(), ToString::to_string);
    let is_numbered = page.total.is_some();
    let first = url(is_numbered.then(|| "page=1".to_owned()));
    let mut all = vec![("self", own), ("first", first)];
    all.extend(page.next.as_ref().map(|from| ("next", url(position(from)))));
    all.extend(page.prev.as_ref().map(|from| ("prev", url(position(from)))));
    let root = &parts.route.root_path;
    for (_, href) in &mut all {
        if !root.is_empty()
            && let Some(public) = root.public(href, "")
        {
            *href = public;
        }
        // A request target may have characters that a URI reference may not.
        if let Cow::Owned(encoded) = encode(href) {
            *href = encoded;
        }
    }
    Relations(all)
}

fn is_position(pair: &str) -> bool {
    matches!(pair.split('=').next(), Some("cursor" | "page"))
}
