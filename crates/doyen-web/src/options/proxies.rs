//! Proxies that may report the client address.

use std::fmt;
use std::net::IpAddr;

use doyen_settings::{Raw, Setting, Wrong, choose};
use http::{HeaderName, header};

/// An address or a network: `192.0.2.1` or `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    first: IpAddr,
    prefix: u8,
}

/// A proxy in front of the server: its address or network, or `unix` for every process that may
/// connect to the Unix socket of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedProxy {
    /// An address or a network.
    Network(Cidr),
    /// The peers of a Unix socket. They have no addresses; the permissions of its file and folder
    /// decide who connects.
    Unix,
}

/// A text that is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCidr {
    /// Not an address with an optional prefix length.
    Malformed,
    /// The address has bits after the prefix. The value is the network without them.
    Bits(Cidr),
}

/// The proxies that may report the client address, and the header that they use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Cidr>,
    unix: bool,
    header: ForwardedHeader,
}

/// The header in which trusted proxies report the client address.
///
/// Only one header is read: a proxy that sets one passes the other on as the client sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Proxies that include every address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustsAllAddresses;

impl Cidr {
    /// Parses `192.0.2.1`, `10.0.0.0/8` or `2001:db8::/32`.
    ///
    /// ```
    /// use doyen_web::Cidr;
    ///
    /// let inside = Cidr::parse("10.0.0.0/8").unwrap();
    /// assert!(inside.contains("10.1.2.3".parse().unwrap()));
    /// assert!(!inside.contains("11.0.0.1".parse().unwrap()));
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a network, or if its address has bits after the prefix.
    pub fn parse(text: &str) -> Result<Self, InvalidCidr> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidCidr::Malformed)?;
        let width = width(address);
        let prefix = match prefix {
            None => width,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| InvalidCidr::Malformed)?
            }
            Some(_) => return Err(InvalidCidr::Malformed),
        };
        if prefix > width {
            return Err(InvalidCidr::Malformed);
        }
        let first = first(address, prefix);
        if first != address {
            return Err(InvalidCidr::Bits(Self { first, prefix }));
        }
        // IPv4 peers of a dual-stack socket are compared by their IPv4 address.
        Ok(match first.to_canonical() {
            mapped if mapped != first && prefix >= 96 => Self {
                first: mapped,
                prefix: prefix - 96,
            },
            _ => Self { first, prefix },
        })
    }

    /// True if the address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.first) && first(address, self.prefix) == self.first
    }

    /// Returns the first and the last address as numbers.
    fn ends(&self) -> (u128, u128) {
        let width = width(self.first);
        let first = number(self.first);
        let rest = width - self.prefix;
        let last = match rest {
            128 => u128::MAX,
            _ => first + ((1 << rest) - 1),
        };
        (first, last)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Returns the address without the bits after the prefix.
fn first(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(u32::from(32 - prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

impl TrustedProxies {
    /// Trusts these proxies, which report client addresses in this header.
    ///
    /// # Errors
    ///
    /// Returns an error if the networks include every IPv4 or every IPv6 address: then any client
    /// could claim any address.
    pub fn new<P: Into<TrustedProxy>>(
        proxies: Vec<P>,
        header: ForwardedHeader,
    ) -> Result<Self, TrustsAllAddresses> {
        let (mut networks, mut unix) = (Vec::new(), false);
        for proxy in proxies {
            match proxy.into() {
                TrustedProxy::Network(network) => networks.push(network),
                TrustedProxy::Unix => unix = true,
            }
        }
        if includes_all(&networks, 32) || includes_all(&networks, 128) {
            return Err(TrustsAllAddresses);
        }
        Ok(Self {
            networks,
            unix,
            header,
        })
    }

    /// True if the peer is a trusted proxy.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(peer))
    }

    /// True if the peers of a Unix socket are trusted proxies.
    pub const fn trust_unix(&self) -> bool {
        self.unix
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    pub(crate) const fn header(&self) -> ForwardedHeader {
        self.header
    }
}

impl ForwardedHeader {
    pub(crate) const fn name(self) -> HeaderName {
        match self {
            ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ForwardedHeader::Forwarded => header::FORWARDED,
        }
    }
}

/// True if these networks include every address of this width.
fn includes_all(networks: &[Cidr], wide: u8) -> bool {
    let mut ends: Vec<_> = networks
        .iter()
        .filter(|network| width(network.first) == wide)
        .map(Cidr::ends)
        .collect();
    ends.sort_unstable();
    let highest = u128::MAX >> (128 - u32::from(wide));
    let mut next = 0;
    for (first, last) in ends {
        if first > next {
            return false;
        }
        if last >= highest {
            return true;
        }
        next = next.max(last + 1);
    }
    false
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// Completes the sentence "it must be ...".
impl fmt::Display for InvalidCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidCidr::Malformed => {
                f.write_str("an address or a network such as `192.0.2.1` or `10.0.0.0/8`")
            }
            InvalidCidr::Bits(network) => write!(
                f,
                "a network whose address has no bits after the prefix, such as `{network}`, or one address without a prefix"
            ),
        }
    }
}

impl std::error::Error for InvalidCidr {}

impl fmt::Display for TrustsAllAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "these networks include every address, so that any client could claim any address. List only the proxies in front of this server",
        )
    }
}

impl std::error::Error for TrustsAllAddresses {}

impl Setting for Cidr {
    fn kind() -> String {
        "network".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        Cidr::parse(raw.text().unwrap_or_default())
            .map_err(|error| Wrong::must_be(error.to_string()))
    }
}

impl From<Cidr> for TrustedProxy {
    fn from(network: Cidr) -> Self {
        Self::Network(network)
    }
}

impl Setting for TrustedProxy {
    fn kind() -> String {
        "network or `unix`".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        match raw.text() {
            Some("unix") => Ok(Self::Unix),
            text => Cidr::parse(text.unwrap_or_default())
                .map(Self::Network)
                .map_err(|error| Wrong::must_be(format!("{error}, or `unix`"))),
        }
    }
}

impl Setting for ForwardedHeader {
    fn kind() -> String {
        "`x-forwarded-for` or `forwarded`".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        choose(raw, &["x-forwarded-for", "forwarded"]).map(|index| match index {
            0 => Self::XForwardedFor,
            _ => Self::Forwarded,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Cidr {
        Cidr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_network_contains_exactly_its_addresses() {
        for (text, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.255", "192.0.2.127"),
            ("128.0.0.0/1", "255.0.0.1", "127.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.0.0.1", "11.0.0.1"),
            ("2001:db8::/32", "2001:db8::", "32.1.13.184"),
        ] {
            let network = network(text);
            assert!(network.contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(
                !network.contains(outside.parse().unwrap()),
                "{text} {outside}"
            );
        }
    }

    #[test]
    fn an_invalid_network_is_rejected() {
        for text in [
            "",
            "a",
            "10",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "/8",
            "2001:db8::/129",
            "10.0.0.0/256",
            "*",
            "localhost",
            "10.0.0.1:80",
        ] {
            assert_eq!(Cidr::parse(text), Err(InvalidCidr::Malformed), "{text}");
        }
        let meant = network("10.0.0.0/8");
        assert_eq!(Cidr::parse("10.0.0.1/8"), Err(InvalidCidr::Bits(meant)));
        assert!(Cidr::parse("::1/64").is_err());
    }

    #[test]
    fn networks_that_include_every_address_are_rejected() {
        let new = |texts: &[&str]| {
            let networks = texts.iter().map(|text| network(text)).collect();
            TrustedProxies::new(networks, ForwardedHeader::default()).is_ok()
        };
        for all in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["10.0.0.0/8", "::/0"],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["128.0.0.0/1", "64.0.0.0/2", "0.0.0.0/2"],
            &["::/1", "8000::/1"],
            &["::ffff:0.0.0.0/96"],
        ] {
            assert!(!new(all), "{all:?}");
        }
        for some in [
            &[][..],
            &["127.0.0.1"],
            &["0.0.0.0/1"],
            &["0.0.0.0/1", "128.0.0.0/2"],
            &["::/1", "0.0.0.0/1"],
            &["255.255.255.255", "0.0.0.0/1"],
        ] {
            assert!(new(some), "{some:?}");
        }
    }
}
