//! The checks before the 101: protocol, origin, connection token.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_core::problem::Plain;
use doyen_core::{ErrorStatus, Kind, Problem, ProblemInfo, Refusal};
use doyen_web::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use doyen_web::{Body, Parts, Response, RetainedCredentials};

use crate::hub::Hub;
use crate::tokens;

/// The problem for a request that is no WebSocket handshake.
pub static UPGRADE_REQUIRED: ProblemInfo = ProblemInfo {
    code: "upgrade_required",
    kind: Kind::Other(ErrorStatus::new(426)),
    title: "Upgrade Required",
    description: "This path opens WebSockets. Send a handshake of version 13 (RFC 6455) over HTTP/1.1.",
};

/// The problem for a malformed WebSocket handshake.
pub static BAD_HANDSHAKE: ProblemInfo = ProblemInfo {
    code: "invalid_handshake",
    kind: Kind::Malformed,
    title: "Invalid Handshake",
    description: "The WebSocket handshake is invalid. `detail` says what is wrong.",
};

/// The problem for a page that may not open sockets.
pub static FORBIDDEN_ORIGIN: ProblemInfo = ProblemInfo {
    code: "forbidden_origin",
    kind: Kind::Forbidden,
    title: "Forbidden Origin",
    description: "The page that opened the WebSocket does not belong to this service. Open it from a page of this service, or list its origin in `live.origins`.",
};

/// What the key of a handshake is hashed with (RFC 6455 section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A 426 with the version that the server speaks (RFC 6455 section 4.4).
#[derive(Debug)]
struct UpgradeRequired;

impl Problem for UpgradeRequired {
    fn info(&self) -> &'static ProblemInfo {
        &UPGRADE_REQUIRED
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&UPGRADE_REQUIRED]
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("upgrade", "websocket".to_owned()),
            ("sec-websocket-version", "13".to_owned()),
        ]
    }
}

/// The origins whose pages may open sockets, in addition to that of the service itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(pub(crate) Vec<String>);

/// Checks a handshake. Returns the response, and the credentials that the connection lives on.
pub(super) async fn check(
    hub: &Hub,
    parts: &Parts,
) -> Result<(Response, RetainedCredentials), Refusal> {
    let headers = &parts.head.headers;
    let is_upgrade = parts.can_upgrade()
        && has_token(headers, header::UPGRADE, "websocket")
        && parts.header("sec-websocket-version") == Some("13");
    if !is_upgrade {
        return Err(UpgradeRequired.into());
    }
    let invalid =
        |detail: &str| -> Refusal { Plain::new(&BAD_HANDSHAKE).detail(detail.to_owned()).into() };
    let key = parts.header("sec-websocket-key").unwrap_or_default();
    if !STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) {
        return Err(invalid("`Sec-WebSocket-Key` must be 16 bytes in base64"));
    }
    let protocol = match parts.protocol() {
        None => None,
        Some(name) if has_token(headers, header::SEC_WEBSOCKET_PROTOCOL, name) => Some(name),
        // Without an offer the client does not care.
        Some(_) if !headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) => None,
        Some(name) => {
            let detail = format!("`Sec-WebSocket-Protocol` must contain `{name}`");
            return Err(invalid(&detail));
        }
    };
    let mut credentials = RetainedCredentials::of(parts);
    let token = token(parts).filter(|_| !has_header_credentials(headers));
    let by_cookie = token.is_none() && credentials.is_cookie_only();
    check_origin(parts, &hub.origins, by_cookie)?;
    if let Some(token) = token {
        credentials = tokens::consume(hub, token, parts.client).await?;
    }
    Ok((response(key, protocol), credentials))
}

fn has_header_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key")
}

/// Returns the query parameter `token`.
fn token(parts: &Parts) -> Option<&str> {
    let mut pairs = parts.head.uri.query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix("token="))
}

/// A browser sends cookies for the page of any site, but always names the origin. Other clients
/// send none.
fn check_origin(parts: &Parts, allowed: &Origins, by_cookie: bool) -> Result<(), Refusal> {
    let refused = |detail: &str| {
        Plain::new(&FORBIDDEN_ORIGIN)
            .detail(detail.to_owned())
            .into()
    };
    let Some(origin) = parts.head.headers.get(header::ORIGIN) else {
        return if by_cookie {
            Err(refused(
                "a handshake with a cookie needs the header `Origin`",
            ))
        } else {
            Ok(())
        };
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = parts.header("host");
    let of_origin = origin.split_once("://").map(|(_, host)| host);
    let is_own = host.is_some() && of_origin == host;
    if is_own || allowed.0.iter().any(|one| one == origin) {
        return Ok(());
    }
    Err(refused("the header `Origin` names another site"))
}

/// True if the list in a header has this element.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|element| element.trim().eq_ignore_ascii_case(token))
}

fn response(key: &str, protocol: Option<&'static str>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(accept_key(key)) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol {
        let protocol = HeaderValue::from_static(protocol);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}

fn accept_key(key: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_is_accepted_as_the_rfc_says() {
        let accept = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
