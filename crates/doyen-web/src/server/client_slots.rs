//! The limit of connections per client.
//!
//! One client must not use up all connections. IPv6 addresses count by their /64 network, which one
//! client usually controls.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use doyen_core::sync::lock;

/// Counts the connections of each client.
#[derive(Debug)]
pub(super) struct ClientSlots {
    limit: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection of a client, until it is dropped.
#[derive(Debug)]
pub(super) struct ClientSlot {
    slots: Arc<ClientSlots>,
    client: IpAddr,
}

impl ClientSlots {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            taken: Mutex::default(),
        })
    }

    /// Takes a slot for a connection of this client, or returns `None` at the limit.
    pub(super) fn take(self: &Arc<Self>, client: IpAddr) -> Option<ClientSlot> {
        let client = network(client);
        let mut taken = lock(&self.taken);
        let count = taken.entry(client).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(ClientSlot {
            slots: Arc::clone(self),
            client,
        })
    }
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        let mut taken = lock(&self.slots.taken);
        if let Some(count) = taken.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

/// Returns an IPv4 address unchanged, and the /64 network of an IPv6 address.
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
    fn each_client_has_its_own_slots() {
        let slots = ClientSlots::new(2);
        let take = |address: &str| slots.take(address.parse().unwrap());
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
    fn a_client_without_connections_is_forgotten() {
        let slots = ClientSlots::new(1);
        drop(slots.take("192.0.2.1".parse().unwrap()));
        assert!(slots.taken.lock().unwrap().is_empty());
    }
}
