//! Conditional GET (RFC 9110 section 13.1.2).

use http::{HeaderValue, Method, StatusCode, header};

use crate::{Body, Response};

/// The values of `If-None-Match`, if there are any.
pub(super) fn wanted(head: &http::request::Parts) -> Vec<HeaderValue> {
    head.headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .cloned()
        .collect()
}

/// Turns a 200 the client already has into 304 without a body.
pub(super) fn apply(method: &Method, wanted: Vec<HeaderValue>, response: &mut Response) {
    if wanted.is_empty()
        || response.status() != StatusCode::OK
        || !(method == Method::GET || method == Method::HEAD)
    {
        return;
    }
    let Some(tag) = response
        .headers()
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok())
    else {
        return;
    };
    // Weak comparison: the mark does not count (section 8.8.3.2).
    let opaque = tag.strip_prefix("W/").unwrap_or(tag);
    let known = wanted
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|field| field.trim() == "*" || tags(field).any(|known| known == opaque));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
}

/// The opaque tags of a list, with their quotes. A comma may stand inside of one; what is no tag is skipped.
fn tags(field: &str) -> impl Iterator<Item = &str> {
    let mut rest = field;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let bare = rest.strip_prefix("W/").unwrap_or(rest);
            let end = bare
                .strip_prefix('"')
                .and_then(|inside| inside.find('"'))
                .map(|at| at + 2);
            match end {
                Some(end) => {
                    let (tag, after) = bare.split_at(end);
                    rest = after;
                    return Some(tag);
                }
                None if rest.is_empty() => return None,
                None => rest = rest.split_once(',').map_or("", |(_, after)| after),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_read_tag_by_tag() {
        let all = |field| tags(field).collect::<Vec<_>>();
        assert_eq!(all(r#""a""#), [r#""a""#]);
        assert_eq!(
            all(r#""a,b" , W/"c",,"" "#),
            [r#""a,b""#, r#""c""#, r#""""#]
        );
        assert_eq!(all(r#"a, "b", W/W/"c", "d"#), [r#""b""#]);
        assert_eq!(all("*"), [""; 0]);
    }
}
