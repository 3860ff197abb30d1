//! The networks of client addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reduces an address to its network.
pub(super) struct Network;

impl Network {
    /// Returns the network of one subscriber: an IPv4 address, or the first 64 bits of an IPv6
    /// address.
    pub(super) fn of(address: Option<IpAddr>) -> Option<String> {
        Some(match address?.to_canonical() {
            IpAddr::V4(four) => four.to_string(),
            IpAddr::V6(six) => six_64(six).to_string(),
        })
    }

    /// Returns the network in which an account stays known. It is wider for IPv4, since the address
    /// of a subscriber changes.
    pub(super) fn place(address: Option<IpAddr>) -> Option<String> {
        Some(match address?.to_canonical() {
            IpAddr::V4(four) => {
                let [a, b, c, _] = four.octets();
                Ipv4Addr::new(a, b, c, 0).to_string()
            }
            IpAddr::V6(six) => six_64(six).to_string(),
        })
    }
}

fn six_64(six: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_subscriber_are_one_network() {
        let of = |text: &str| Network::of(text.parse().ok());
        let place = |text: &str| Network::place(text.parse().ok());
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(place("192.0.2.1"), place("192.0.2.200"));
        assert_ne!(place("192.0.2.1"), place("192.0.3.1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(Network::of(None), None);
    }
}
