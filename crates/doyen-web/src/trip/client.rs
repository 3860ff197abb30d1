//! Who is at the other end: the peer, or whom a trusted proxy names.
//!
//! Every proxy writes at the end of the list whom it heard the request from. So it is read from the end, as long as the one who wrote an
//! entry is trusted; the first that is not is the client. All before that is what the client says of itself.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::service::{ForwardedField, TrustedProxies};

const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// More proxies than this stand in no row: the rest of the list is somebody's who wants it to be read.
const MOST_HOPS: usize = 32;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// The client, as far as those can be believed who say so.
    pub(super) client: Option<IpAddr>,
    /// Whether a trusted proxy says that it came over TLS.
    pub(super) secure: bool,
}

/// Where this request comes from.
pub(super) fn find(
    proxies: &TrustedProxies,
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
) -> Source {
    let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else {
        return Source::default();
    };
    // The usual case without a look at any field.
    if proxies.is_empty() || !proxies.trusts(peer) {
        return Source {
            client: Some(peer),
            secure: false,
        };
    }
    match proxies.field() {
        ForwardedField::XForwardedFor => Source {
            client: Some(walk(proxies, peer, headers, address)),
            secure: last(headers, &PROTO).is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
        },
        ForwardedField::Forwarded => Source {
            client: Some(walk(proxies, peer, headers, |entry| {
                address(&parameter(entry, "for")?)
            })),
            secure: last(headers, &ForwardedField::Forwarded.name())
                .and_then(|entry| parameter(entry, "proto"))
                .is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
        },
    }
}

/// From the peer towards the client, as far as each is trusted who names the next one.
fn walk(
    proxies: &TrustedProxies,
    peer: IpAddr,
    headers: &HeaderMap,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> IpAddr {
    let mut reached = peer;
    for entry in entries(headers, &proxies.field().name()).take(MOST_HOPS) {
        // What can not be read ends the walk: who stands before it is anybody's word.
        let Some(next) = entry.and_then(&read) else {
            break;
        };
        reached = next;
        if !proxies.trusts(next) {
            break;
        }
    }
    reached
}

/// The entries of a field from the last to the first, over all its lines; `None` for one that is no text.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Option<&'a str>> {
    let lines = headers.get_all(name).iter().rev();
    lines.flat_map(|line| {
        let text = line.to_str().ok();
        // A line that is no text is one entry that can not be read.
        let unread = text.is_none().then_some(None);
        text.into_iter()
            .flat_map(|text| text.rsplit(',').map(|entry| Some(entry.trim())))
            .chain(unread)
    })
}

fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    entries(headers, name).next().flatten()
}

/// An address, with or without a port, IPv6 with or without brackets: proxies write all of these.
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

/// A parameter of an entry of `Forwarded`: `for=192.0.2.1;proto=https`. One that stands twice is none.
fn parameter(entry: &str, name: &str) -> Option<String> {
    let mut found = None;
    for pair in entry.split(';') {
        let (key, value) = pair.split_once('=')?;
        if key.trim().eq_ignore_ascii_case(name) && found.replace(value.trim()).is_some() {
            return None;
        }
    }
    let value = found?;
    // A comma or semicolon in quotes was cut above: then a quote is left open, and it is none.
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
    use crate::service::Network;

    fn found(field: ForwardedField, peer: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"];
        let networks = networks.map(|text| Network::parse(text).unwrap()).to_vec();
        let proxies = TrustedProxies::new(networks, field).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(*name, value);
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        let source = find(&proxies, Some(peer), &headers);
        (source.client.unwrap().to_string(), source.secure)
    }

    #[test]
    fn the_client_is_the_first_who_is_not_trusted() {
        for (peer, lines, client) in [
            // Who is not trusted changes nothing.
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("192.0.2.9", &["10.0.0.1"], "192.0.2.9"),
            // Nobody is named.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            // What the client wrote before stands further to the left.
            ("10.0.0.1", &["203.0.113.7, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.9, 198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["203.0.113.7, 198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            // Several lines are one list.
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
            // Everybody is trusted: the farthest.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // What can not be read ends the walk at the last who can be believed.
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
            // However it is written.
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
            let (found, _) = found(ForwardedField::XForwardedFor, peer, &lines);
            assert_eq!(found, client, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_list_without_an_end_is_not_read_to_its_end() {
        let list = format!("198.51.100.1{}", ", 10.0.0.2".repeat(1_000));
        let lines = [("x-forwarded-for", &*list)];
        assert_eq!(
            found(ForwardedField::XForwardedFor, "10.0.0.1", &lines).0,
            "10.0.0.2"
        );
    }

    #[test]
    fn forwarded_says_the_same_in_other_words() {
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
            let found = found(ForwardedField::Forwarded, "10.0.0.1", &lines);
            assert_eq!(found, (client.to_owned(), secure), "{line}");
        }
    }

    #[test]
    fn the_field_that_proxies_do_not_write_is_not_read() {
        let both = [
            ("forwarded", "for=203.0.113.7;proto=https"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-real-ip", "203.0.113.8"),
        ];
        let x = found(ForwardedField::XForwardedFor, "10.0.0.1", &both);
        assert_eq!(x, ("198.51.100.1".to_owned(), false));
        let rfc = found(ForwardedField::Forwarded, "10.0.0.1", &both);
        assert_eq!(rfc, ("203.0.113.7".to_owned(), true));
    }

    #[test]
    fn tls_is_believed_only_of_a_proxy() {
        let secure = |peer, proto| {
            let lines = [
                ("x-forwarded-for", "198.51.100.1"),
                ("x-forwarded-proto", proto),
            ];
            found(ForwardedField::XForwardedFor, peer, &lines).1
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
}
