//! How many connections each client has.
//!
//! One address that takes every place keeps all others out. Addresses of IPv6 count by their /64: whoever has one has all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of every client.
#[derive(Debug)]
pub(super) struct Places {
    limit: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one connection: free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    client: IpAddr,
}

impl Places {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            taken: Mutex::default(),
        })
    }

    /// A place for a connection of this client; `None` when it has as many as it may.
    pub(super) fn take(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let client = network(client);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(client).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Place {
            places: Arc::clone(self),
            client,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self
            .places
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

/// The address for IPv4, the first 64 bits for IPv6.
pub(super) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_places() {
        let places = Places::new(2);
        let take = |address: &str| places.take(address.parse().unwrap());
        let first = take("192.0.2.1");
        let second = take("::ffff:192.0.2.1");
        assert!(first.is_some() && second.is_some());
        assert!(take("192.0.2.1").is_none());
        assert!(take("192.0.2.2").is_some());
        drop(first);
        assert!(take("192.0.2.1").is_some());
        let (_one, _two) = (take("2001:db8::1"), take("2001:db8::ffff:2"));
        assert!(take("2001:db8:0:0:3::").is_none());
        assert!(take("2001:db8:0:1::1").is_some());
        drop(second);
    }

    #[test]
    fn who_has_gone_leaves_nothing_behind() {
        let places = Places::new(1);
        drop(places.take("192.0.2.1".parse().unwrap()));
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
