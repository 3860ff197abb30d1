//! Versions of the API: a request of an older version goes up to the newest, its response down.
//!
//! The version is selected once the caller is authorized. The body goes up after the idempotency
//! key is claimed and down after the commit, so that the handler, the store of responses and caches
//! know only the newest version.

use doyen_core::{Refusal, Unexpected};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value as Json;

use crate::problem::problem_code;
use crate::request::Request;
use crate::route_info::RouteInfo;
use crate::versions::ActiveVersion;
use crate::{Body, Response, RootPath};

const VERSION: HeaderName = HeaderName::from_static("api-version");

/// Separates the tag of the newest version from the name of an older one in an `ETag`.
const MARK: char = '~';

/// Removes the version from the tags that the client sends, before anything compares them.
pub(super) fn unmark_tags(version: &ActiveVersion, headers: &mut HeaderMap) {
    if version.is_newest() {
        return;
    }
    let mark = format!("{MARK}{}", version.name());
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        let given: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
        headers.remove(&name);
        for value in given {
            let own = value.to_str().ok().map(|text| text.replace(&mark, ""));
            let own = own.and_then(|text| HeaderValue::try_from(text).ok());
            headers.append(name.clone(), own.unwrap_or(value));
        }
    }
}

/// Rewrites the body of a request.
pub(super) async fn up(version: &ActiveVersion, request: &mut Request) -> Result<(), Refusal> {
    let route = std::sync::Arc::clone(&request.parts.route);
    let Some(places) = route
        .versions
        .as_ref()
        .filter(|all| version.has_request_steps(all))
    else {
        return Ok(());
    };
    if !is_json(&request.parts.head.headers) {
        return Ok(());
    }
    let bytes = crate::extract::read_body(request).await?;
    // The extractor reports a body that is not JSON.
    let body = match serde_json::from_slice::<Json>(&bytes) {
        Ok(mut body) => {
            version.up(places, &mut body);
            serde_json::to_vec(&body).map_err(Unexpected::from)?.into()
        }
        Err(_) => bytes,
    };
    request.body = Body::whole(body);
    Ok(())
}

/// Rewrites a response, and adds the headers of its version.
pub(super) fn down(version: &ActiveVersion, route: &RouteInfo, response: &mut Response) {
    let body = response
        .body()
        .as_whole()
        .filter(|_| is_json(response.headers()))
        .cloned();
    if let Some(places) = &route.versions
        && let Some(bytes) = body
        && needs_rewriting(version, route, response)
        && let Ok(mut body) = serde_json::from_slice::<Json>(&bytes)
    {
        if response.status().is_success() {
            version.down(places, &mut body);
        } else if problem_code(response).is_none() {
            // A handler has written it. Others have the older names from the start.
            let failures = body.get_mut("errors").and_then(Json::as_array_mut);
            for failure in failures
                .into_iter()
                .flatten()
                .filter(|failure| failure["in"] == "body")
            {
                let pointer = failure["pointer"].as_str().unwrap_or("");
                failure["pointer"] = version.older_pointer(places, pointer).into();
            }
        }
        if let Some(prefix) = version.link_prefix() {
            prefix_links(&mut body, &route.root_path, &prefix);
        }
        if let Ok(bytes) = serde_json::to_vec(&body) {
            *response.body_mut() = Body::whole(bytes);
        }
    }
    let headers = response.headers_mut();
    if let Some(prefix) = version.link_prefix() {
        route.root_path.apply(headers, &prefix);
    }
    if !version.is_newest()
        && let Some(tag) = headers.get_mut(header::ETAG)
        && let Some(marked) = mark(tag, version.name())
    {
        *tag = marked;
    }
    for (name, value) in version.headers() {
        // One line, next to the links of a page: some clients read only one.
        let joined = headers.get(name).and_then(|own| join(own, value));
        headers.insert(name.clone(), joined.unwrap_or_else(|| value.clone()));
    }
    headers.insert(VERSION, HeaderValue::from_static(version.name()));
    if let Some(name) = version.header() {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
}

fn needs_rewriting(version: &ActiveVersion, route: &RouteInfo, response: &Response) -> bool {
    let has_steps = route
        .versions
        .as_ref()
        .is_some_and(|places| match response.status() {
            status if status.is_success() => version.has_response_steps(places),
            _ => version.has_request_steps(places),
        });
    has_steps || version.link_prefix().is_some()
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = media
        .and_then(|text| text.split(';').next())
        .unwrap_or("")
        .trim();
    media.eq_ignore_ascii_case("application/json") || media.to_ascii_lowercase().ends_with("+json")
}

fn join(own: &HeaderValue, more: &HeaderValue) -> Option<HeaderValue> {
    let both = format!("{}, {}", own.to_str().ok()?, more.to_str().ok()?);
    HeaderValue::try_from(both).ok()
}

/// Returns the tag of an older version, which is another representation.
fn mark(tag: &HeaderValue, version: &str) -> Option<HeaderValue> {
    let inside = tag.to_str().ok()?.strip_suffix('"')?;
    HeaderValue::try_from(format!("{inside}{MARK}{version}\"")).ok()
}

/// Adds the prefix to the links of a body.
fn prefix_links(value: &mut Json, root: &RootPath, prefix: &str) {
    match value {
        Json::Object(members) => {
            if let Some(Json::Object(links)) = members.get_mut("_links") {
                for link in links.values_mut() {
                    let public = link["href"]
                        .as_str()
                        .and_then(|url| root.public(url, prefix));
                    if let Some(public) = public {
                        link["href"] = public.into();
                    }
                }
            }
            members
                .values_mut()
                .for_each(|member| prefix_links(member, root, prefix));
        }
        Json::Array(items) => items
            .iter_mut()
            .for_each(|item| prefix_links(item, root, prefix)),
        _ => {}
    }
}
