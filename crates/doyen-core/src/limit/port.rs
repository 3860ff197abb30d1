//! The ports that count calls and quotas.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use super::{Bucket, QuotaBucket};
use crate::{Timestamp, Unexpected};

/// Maximum number of policies that count one request.
pub const MAX_CHARGES: usize = 8;

/// The subject of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who<'a> {
    /// All callers together.
    Global,
    /// A user, by the subject.
    User(&'a str),
    /// An API key or a machine client.
    Key(&'a str),
    /// An address with an anonymous caller.
    Address(Network),
    /// An address with an authenticated caller.
    KnownAddress(Network),
}

impl<'a> Who<'a> {
    /// Returns a letter for the kind, and bytes that identify it among its kind.
    pub fn parts(&'a self) -> (u8, &'a [u8]) {
        match self {
            Who::Global => (b'*', &[]),
            Who::User(subject) => (b'u', subject.as_bytes()),
            Who::Key(key) => (b'k', key.as_bytes()),
            Who::Address(network) => (b'a', network.bytes()),
            Who::KnownAddress(network) => (b'n', network.bytes()),
        }
    }
}

/// The network of one customer of a provider: an IPv4 address, or the first 64 bits of an IPv6
/// address, because the rest is chosen by the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// An IPv4 address, also if written as an IPv6 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
    /// The address is unknown. All unknown addresses share one network.
    Unknown,
}

impl Network {
    /// Returns the network of an address.
    pub fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Network::V4(address.octets()),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Network::V6([a, b, c, d, e, f, g, h])
            }
            None => Network::Unknown,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Network::V4(octets) => octets,
            Network::V6(octets) => octets,
            Network::Unknown => &[],
        }
    }
}

/// One call on one bucket.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The policy, with its numbers.
    pub bucket: &'a Bucket,
    /// The subject.
    pub who: Who<'a>,
}

/// The result of the calls on all buckets of a request. All of them are charged, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// True if the request may pass.
    pub allowed: bool,
    /// Index of the charge with the fewest calls left, or with the longest wait.
    pub tightest: usize,
    /// Calls left in that bucket.
    pub remaining: u32,
    /// Seconds until that bucket has more; 0 if it is full.
    pub renews: u32,
    /// Seconds until the same request passes without further calls; 0 if it passed.
    pub retry_after: u32,
    /// The charges that refuse, one bit each.
    pub violated: u8,
}

/// A decision: immediate if possible, so that counting in memory allocates nothing.
pub enum Decision<'a, T> {
    /// An immediate decision.
    Now(T),
    /// The decision needs a remote call.
    Later(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<T> std::fmt::Debug for Decision<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Decision::Now(_) => "Now",
            Decision::Later(_) => "Later",
        })
    }
}

/// Counts calls. It always decides: if the shared store is unavailable, each node counts for
/// itself.
pub trait Limiter: Send + Sync + 'static {
    /// Charges these calls, at most [`MAX_CHARGES`], all of them or none. Refused calls are not
    /// counted.
    fn charge<'a>(&'a self, charges: &'a [Charge<'a>]) -> Decision<'a, Verdict>;
}

/// One call on one quota.
#[derive(Clone, Copy, Debug)]
pub struct QuotaCharge<'a> {
    /// The quota, with its numbers.
    pub quota: &'a QuotaBucket,
    /// The subject.
    pub subject: &'a str,
    /// Number of calls.
    pub calls: u64,
    /// Maximum calls of this caller in the period.
    pub limit: u64,
}

/// The result of a call on the quotas of a request. All of them are charged, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaTaken {
    /// True if the request may pass.
    pub allowed: bool,
    /// Index of the charge with the fewest calls left, or with the longest wait.
    pub tightest: usize,
    /// Calls left in that quota.
    pub remaining: u64,
    /// Seconds until the end of its period.
    pub resets: u32,
    /// The charges that refuse, one bit each.
    pub violated: u8,
}

/// The result of [`Quotas::take`].
pub type QuotaDecision<'a> = Decision<'a, QuotaTaken>;

/// The state of a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaState {
    /// Calls made in this period.
    pub used: u64,
    /// Start of the next period.
    pub resets_at: Timestamp,
}

/// Counts calls per day and month. The counts survive restarts.
#[async_trait::async_trait]
pub trait Quotas: Send + Sync + 'static {
    /// Charges these calls, at most [`MAX_CHARGES`], all of them or none.
    fn take<'a>(&'a self, charges: &'a [QuotaCharge<'a>]) -> QuotaDecision<'a>;

    /// Returns calls that were charged for a request which was refused later.
    fn give_back(&self, charges: &[QuotaCharge<'_>]);

    /// Returns the state of a quota of a subject.
    ///
    /// # Errors
    ///
    /// Returns an error if the state cannot be read.
    async fn state(&self, quota: &QuotaBucket, subject: &str) -> Result<QuotaState, Unexpected>;

    /// Writes the counts in memory, at the end of the process.
    async fn flush(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_by_its_network() {
        let of = |text: &str| Network::of(Some(text.parse().unwrap()));
        assert_eq!(
            of("2001:db8:1:2::1"),
            of("2001:db8:1:2:ffff:ffff:ffff:ffff")
        );
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
        assert_ne!(of("192.0.2.7"), Network::of(None));
    }

    #[test]
    fn each_kind_is_apart() {
        let kinds = [
            Who::Global,
            Who::User(""),
            Who::Key(""),
            Who::Address(Network::Unknown),
            Who::KnownAddress(Network::Unknown),
        ];
        let mut letters: Vec<u8> = kinds.iter().map(|who| who.parts().0).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), kinds.len());
    }
}
