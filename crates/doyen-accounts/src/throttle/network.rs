//! Addresses as networks: nobody has one address alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address, cut to what belongs to one subscriber.
pub(super) struct Network;

impl Network {
    /// Who tries: an IPv4 address, the first 64 bits of an IPv6 address.
    pub(super) fn of(address: Option<IpAddr>) -> Option<String> {
        Some(match address?.to_canonical() {
            IpAddr::V4(four) => four.to_string(),
            IpAddr::V6(six) => six_64(six).to_string(),
        })
    }

    /// Where somebody is at home: addresses there change, the network rarely does.
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
    fn neighbours_are_one_and_strangers_are_two() {
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
