//! The client address: the peer, or the client that a trusted proxy reports.
//!
//! Each proxy appends the address from which it received the request. The list is therefore read
//! from its end, for as long as the sender of an entry is trusted. The first address that is not
//! trusted is the client. The client can write anything into the entries before it.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::options::{ForwardedHeader, TrustedProxies};
use crate::server::ConnectionInfo;

const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Maximum number of proxies. Longer lists come from clients that want to keep the server busy.
const MAX_HOPS: usize = 32;

/// The origin of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// The address of the client, as far as trusted proxies report it.
    pub(super) client: Option<IpAddr>,
    /// True if the client sent the request over TLS: to this server, or to the first of the trusted
    /// proxies that report it.
    pub(super) is_secure: bool,
}

/// Returns the origin of a request.
pub(super) fn find(
    proxies: &TrustedProxies,
    connection: ConnectionInfo,
    headers: &HeaderMap,
) -> Source {
    let peer = connection.peer.map(|peer| peer.ip().to_canonical());
    let is_trusted = match peer {
        // The usual case reads no header.
        Some(peer) => !proxies.is_empty() && proxies.trusts(peer),
        None => connection.is_unix && proxies.trust_unix(),
    };
    if !is_trusted {
        return Source {
            client: peer,
            is_secure: connection.is_tls,
        };
    }
    match proxies.header() {
        ForwardedHeader::XForwardedFor => Source {
            client: walk(proxies, peer, headers, address),
            is_secure: last(headers, &PROTO).map_or(connection.is_tls, |proto| {
                proto.eq_ignore_ascii_case("https")
            }),
        },
        ForwardedHeader::Forwarded => Source {
            client: walk(proxies, peer, headers, |entry| {
                address(&parameter(entry, "for")?)
            }),
            is_secure: last(headers, &ForwardedHeader::Forwarded.name())
                .and_then(|entry| parameter(entry, "proto"))
                .map_or(connection.is_tls, |proto| {
                    proto.eq_ignore_ascii_case("https")
                }),
        },
    }
}

/// Walks from the peer towards the client, for as long as the sender of the next entry is trusted.
/// A Unix socket has no address to begin with.
fn walk(
    proxies: &TrustedProxies,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Option<IpAddr> {
    let mut reached = peer;
    for entry in entries(headers, &proxies.header().name()).take(MAX_HOPS) {
        // An unreadable entry ends the walk: the entries before it cannot be trusted.
        let Some(next) = entry.and_then(&read) else {
            break;
        };
        reached = Some(next);
        if !proxies.trusts(next) {
            break;
        }
    }
    reached
}

/// Returns the entries of a header from the last to the first, over all its lines, with `None` for
/// one that is not text.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Option<&'a str>> {
    let lines = headers.get_all(name).iter().rev();
    lines.flat_map(|line| {
        let text = line.to_str().ok();
        // A line that is not text is one unreadable entry.
        let unread = text.is_none().then_some(None);
        text.into_iter()
            .flat_map(|text| text.rsplit(',').map(|entry| Some(entry.trim())))
            .chain(unread)
    })
}

fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    entries(headers, name).next().flatten()
}

/// Parses an address with or without a port, IPv6 with or without brackets: proxies write all of
/// these.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|both| both.ip());
    let bracketed = || {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let found = plain.or_else(with_port).or_else(bracketed)?;
    Some(found.to_canonical())
}

/// Returns a parameter of an entry of `Forwarded`, such as `for=192.0.2.1;proto=https`. A duplicate
/// parameter is invalid.
fn parameter(entry: &str, name: &str) -> Option<String> {
    let mut found = None;
    for pair in entry.split(';') {
        let (key, value) = pair.split_once('=')?;
        if key.trim().eq_ignore_ascii_case(name) && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let value = found?;
    // A comma or semicolon in quotes was split above. Its quote is not closed, which is invalid.
    match value.strip_prefix('"') {
        Some(quoted) => quoted
            .strip_suffix('"')
            .filter(|text| !text.contains(['"', '\\']))
            .map(str::to_owned),
        None => (!value.contains('"')).then(|| value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Cidr, TrustedProxy};

    fn found(
        header: ForwardedHeader,
        peer: &str,
        lines: &[(&'static str, &str)],
    ) -> (String, bool) {
        found_over(false, header, peer, lines)
    }

    fn found_over(
        is_tls: bool,
        header: ForwardedHeader,
        peer: &str,
        lines: &[(&'static str, &str)],
    ) -> (String, bool) {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"];
        let networks = networks.map(|text| Cidr::parse(text).unwrap()).to_vec();
        let proxies = TrustedProxies::new(networks, header).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(*name, value);
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        let connection = ConnectionInfo {
            peer: Some(peer),
            is_unix: false,
            is_tls,
        };
        let source = find(&proxies, connection, &headers);
        (source.client.unwrap().to_string(), source.is_secure)
    }

    #[test]
    fn the_client_is_the_first_untrusted_address() {
        for (peer, lines, client) in [
            // An untrusted peer changes nothing.
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("192.0.2.9", &["10.0.0.1"], "192.0.2.9"),
            // No entry.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            // What the client wrote itself is further left.
            ("10.0.0.1", &["203.0.113.7, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.9, 198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["203.0.113.7, 198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            // Several lines form one list.
            (
                "10.0.0.1",
                &["203.0.113.7", "198.51.100.1,10.0.0.2"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1", "10.0.0.2", "10.0.0.3"],
                "198.51.100.1",
            ),
            // All are trusted: the farthest.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // An unreadable entry ends the walk at the last trusted one.
            ("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
            (
                "10.0.0.1",
                &["198.51.100.1, nonsense, 10.0.0.2"],
                "10.0.0.2",
            ),
            ("10.0.0.1", &["198.51.100.1,,10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["198.51.100.1, 10.0.0.2 10.0.0.3"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, 010.0.0.2"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, \u{fc}"], "10.0.0.1"),
            (
                "10.0.0.1",
                &["198.51.100.1, \u{fc}", "10.0.0.2"],
                "10.0.0.2",
            ),
            // All notations.
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1, 2001:db8:1::5"], "198.51.100.1"),
        ] {
            let lines: Vec<_> = lines
                .iter()
                .map(|line| ("x-forwarded-for", *line))
                .collect();
            let (found, _) = found(ForwardedHeader::XForwardedFor, peer, &lines);
            assert_eq!(found, client, "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_peer_of_a_unix_socket_reports_only_if_it_is_trusted() {
        let find = |proxies: Vec<TrustedProxy>, line: Option<&str>, is_unix| {
            let proxies = TrustedProxies::new(proxies, ForwardedHeader::XForwardedFor).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-proto", "https".parse().unwrap());
            if let Some(line) = line {
                headers.insert("x-forwarded-for", line.parse().unwrap());
            }
            let connection = ConnectionInfo {
                peer: None,
                is_unix,
                is_tls: false,
            };
            let source = find(&proxies, connection, &headers);
            let client = source.client.map(|client| client.to_string());
            (client.unwrap_or_default(), source.is_secure)
        };
        let network = TrustedProxy::Network(Cidr::parse("10.0.0.0/8").unwrap());
        let all = vec![TrustedProxy::Unix, network];
        let claim = Some("203.0.113.7, 198.51.100.1, 10.0.0.2");
        let reported = |client: &str, secure| (client.to_owned(), secure);
        assert_eq!(
            find(all.clone(), claim, true),
            reported("198.51.100.1", true)
        );
        let alone = vec![TrustedProxy::Unix];
        assert_eq!(find(alone.clone(), claim, true), reported("10.0.0.2", true));
        // A proxy that reports no address, or that of its own Unix socket.
        assert_eq!(find(alone.clone(), None, true), reported("", true));
        assert_eq!(find(alone, Some("unix:"), true), reported("", true));
        // Not trusted, and not a Unix socket.
        assert_eq!(find(vec![network], claim, true), reported("", false));
        assert_eq!(find(Vec::new(), claim, true), reported("", false));
        assert_eq!(find(all, claim, false), reported("", false));
    }

    #[test]
    fn an_endless_list_is_cut_off() {
        let list = format!("198.51.100.1{}", ", 10.0.0.2".repeat(1_000));
        let lines = [("x-forwarded-for", &*list)];
        assert_eq!(
            found(ForwardedHeader::XForwardedFor, "10.0.0.1", &lines).0,
            "10.0.0.2"
        );
    }

    #[test]
    fn forwarded_is_read_like_x_forwarded_for() {
        for (line, client, secure) in [
            ("for=198.51.100.1", "198.51.100.1", false),
            (
                "For=198.51.100.1;Proto=HTTPS;by=10.0.0.1",
                "198.51.100.1",
                true,
            ),
            (
                "for=203.0.113.7, for=198.51.100.1;proto=https",
                "198.51.100.1",
                true,
            ),
            (
                "for=203.0.113.7;proto=https, for=198.51.100.1;proto=http",
                "198.51.100.1",
                false,
            ),
            ("for=\"[2001:db8::1]:4711\"", "2001:db8::1", false),
            ("for=198.51.100.1 ; proto=\"https\"", "198.51.100.1", true),
            ("for=198.51.100.1, for=10.0.0.2", "198.51.100.1", false),
            ("for=198.51.100.1, for=unknown", "10.0.0.1", false),
            ("for=198.51.100.1, for=_hidden", "10.0.0.1", false),
            (
                "for=198.51.100.1, for=10.0.0.2;for=10.0.0.3",
                "10.0.0.1",
                false,
            ),
            ("for=198.51.100.1, proto=https", "10.0.0.1", true),
            ("for=198.51.100.1, nonsense", "10.0.0.1", false),
            ("for=198.51.100.1;by=\"a,b\"", "10.0.0.1", false),
            ("for=\"198.51.100.1", "10.0.0.1", false),
        ] {
            let lines = [("forwarded", line)];
            let found = found(ForwardedHeader::Forwarded, "10.0.0.1", &lines);
            assert_eq!(found, (client.to_owned(), secure), "{line}");
        }
    }

    #[test]
    fn the_header_that_is_not_configured_is_ignored() {
        let both = [
            ("forwarded", "for=203.0.113.7;proto=https"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-real-ip", "203.0.113.8"),
        ];
        let x = found(ForwardedHeader::XForwardedFor, "10.0.0.1", &both);
        assert_eq!(x, ("198.51.100.1".to_owned(), false));
        let rfc = found(ForwardedHeader::Forwarded, "10.0.0.1", &both);
        assert_eq!(rfc, ("203.0.113.7".to_owned(), true));
    }

    #[test]
    fn tls_is_reported_only_by_a_proxy() {
        let secure = |peer, proto| {
            let lines = [
                ("x-forwarded-for", "198.51.100.1"),
                ("x-forwarded-proto", proto),
            ];
            found(ForwardedHeader::XForwardedFor, peer, &lines).1
        };
        assert!(
            secure("10.0.0.1", "https")
                && secure("10.0.0.1", "HTTPS")
                && secure("10.0.0.1", "http, https")
        );
        assert!(
            !secure("10.0.0.1", "http")
                && !secure("10.0.0.1", "https, http")
                && !secure("10.0.0.1", "")
        );
        assert!(!secure("192.0.2.9", "https"));
    }

    #[test]
    fn over_tls_a_request_is_secure_unless_a_proxy_reports_otherwise() {
        let secure =
            |header, peer, lines: &[(&'static str, &str)]| found_over(true, header, peer, lines).1;
        let (both, rfc) = (ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded);
        let plain = [("x-forwarded-proto", "http")];
        assert!(secure(both, "192.0.2.9", &plain), "a client cannot report");
        assert!(secure(both, "10.0.0.1", &[]) && secure(rfc, "10.0.0.1", &[]));
        assert!(!secure(both, "10.0.0.1", &plain));
        assert!(!secure(rfc, "10.0.0.1", &[("forwarded", "proto=http")]));
    }
}
