//! The ports: who counts calls, who counts quotas.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use super::{Bucket, QuotaBucket};
use crate::{Timestamp, Unexpected};

/// How many policies one request can be counted by.
pub const MAX_CHARGES: usize = 8;

/// Whose calls a bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who<'a> {
    /// Global together.
    Global,
    /// All callers together.
    User(&'a str),
    /// An API key or a machine client.
    Key(&'a str),
    /// An address with an anonymous caller.
    Address(Network),
    /// An address with an anonymous caller.
    KnownAddress(Network),
}

impl<'a> Who<'a> {
    /// A letter for the kind and the bytes that tell it from others of the kind.
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

/// What one customer of a network provider has: an IPv4 address, or the first 64 bits of an IPv6
/// address, since the rest is theirs to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// An IPv4 address, also one that was written as an IPv6 address.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6([u8; 8]),
    /// The address is unknown. All unknown addresses share one network.
    Unknown,
}

impl Network {
    /// The network of an address.
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
    /// Whose.
    pub who: Who<'a>,
}

/// What became of the calls on all buckets of a request. They are made together: all of them, or
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Which of the charges is closest to refusing, or refuses for the longest time.
    pub tightest: usize,
    /// How many calls that one has left.
    pub remaining: u32,
    /// After how many seconds it has more; 0 when it is full.
    pub renews: u32,
    /// After how many seconds the same request passes, if nothing else comes; 0 when it passed.
    pub retry_after: u32,
    /// Which of the charges refuse, one bit each.
    pub violated: u8,
}

/// What a port decides: at once where it can, so that counting in process allocates nothing.
pub enum Decision<'a, T> {
    /// Decided.
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

/// Counts calls. It always decides: when the place where all nodes count together is away, each
/// counts for itself.
pub trait Limiter: Send + Sync + 'static {
    /// Makes these calls, at most [`MAX_CHARGES`], all of them or none. What is refused is not
    /// counted.
    fn charge<'a>(&'a self, charges: &'a [Charge<'a>]) -> Decision<'a, Verdict>;
}

/// One call on one quota.
#[derive(Clone, Copy, Debug)]
pub struct QuotaCharge<'a> {
    /// The quota, with its numbers.
    pub quota: &'a QuotaBucket,
    /// Whose: the subject.
    pub subject: &'a str,
    /// How many calls.
    pub calls: u64,
    /// How many there are in the period, for this caller.
    pub limit: u64,
}

/// What became of a call on the quotas of a request: all of them, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaTaken {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Which of the charges is closest to refusing, or refuses for the longest time.
    pub tightest: usize,
    /// How many calls that one has left.
    pub remaining: u64,
    /// After how many seconds its period ends.
    pub resets: u32,
    /// Which of the charges refuse, one bit each.
    pub violated: u8,
}

/// A shorthand of [`Quotas::take`].
pub type QuotaDecision<'a> = Decision<'a, QuotaTaken>;

/// How a quota stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaState {
    /// How many calls were made in this period.
    pub used: u64,
    /// When the next one begins.
    pub resets_at: Timestamp,
}

/// Counts calls by the day and the month, through restarts.
#[async_trait::async_trait]
pub trait Quotas: Send + Sync + 'static {
    /// Makes these calls, at most [`MAX_CHARGES`], all of them or none.
    fn take<'a>(&'a self, charges: &'a [QuotaCharge<'a>]) -> QuotaDecision<'a>;

    /// Takes calls back that were made for a request which something else refused.
    fn give_back(&self, charges: &[QuotaCharge<'_>]);

    /// How a quota of a subject stands.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    async fn state(&self, quota: &QuotaBucket, subject: &str) -> Result<QuotaState, Unexpected>;

    /// Writes down what is only known here. For the end of the process.
    async fn flush(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_by_what_its_owner_cannot_change() {
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
